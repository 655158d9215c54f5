"""One folder per migration, each with its defs.yaml."""
