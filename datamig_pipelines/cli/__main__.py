"""``python -m datamig_pipelines.cli`` is ``datamig``."""

from datamig_pipelines.cli import main

if __name__ == "__main__":
    main()
