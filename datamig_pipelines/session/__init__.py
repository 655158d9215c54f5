"""One open connection; driver errors are translated here, once."""

from datamig_pipelines.session.session import Session, open_readers

__all__ = ["Session", "open_readers"]
