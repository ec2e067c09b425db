"""The questions that the notebooks ask of finished runs, a module each: what is compared, with whom, what it says."""
