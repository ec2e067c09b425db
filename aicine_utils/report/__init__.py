"""What the reader sees: plots, tables, a page for each notebook, and the first page."""
