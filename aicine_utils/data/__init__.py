"""Ratings in: find, download, read, validate, keep; RecBole's atomic files out; the synthetic set."""
