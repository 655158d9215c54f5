"""The sample database "shop": a seeded, deterministic retail database in one SQLite file."""

from datamig_pipelines.sample.shop import make_shop

__all__ = ["make_shop"]
