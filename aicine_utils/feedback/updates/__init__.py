"""The rules of update, a file a family, and what they share."""
