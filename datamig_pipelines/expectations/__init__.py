"""The user's Great Expectations suites, judged on the target."""

from datamig_pipelines.expectations.suite import SuiteResult, check_suite

__all__ = ["SuiteResult", "check_suite"]
