"""Running the report: the notebooks, executing, pairing and watching them. Snakemake does the rest."""
