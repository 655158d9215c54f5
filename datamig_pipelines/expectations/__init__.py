"""The user's Great Expectations suites: judged, shown as Data Docs, and drafted from a profile."""

from datamig_pipelines.expectations.docs import docs_index, verdicts
from datamig_pipelines.expectations.judging import check_suite
from datamig_pipelines.expectations.result import SuiteResult

__all__ = ["SuiteResult", "check_suite", "docs_index", "verdicts"]
