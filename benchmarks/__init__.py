"""How fast the data path is, against bare pipes and other tools; `python -m benchmarks --help`."""
