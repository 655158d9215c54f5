"""DM5xx: the data differs."""

from datamig_pipelines.errors.base import DatamigError


class ProofFailedError(DatamigError):
    """Source and target differ."""

    code = "DM500"
    exit_code = 3


class ProofGateError(ProofFailedError):
    """A proof found a difference, so a step that builds on it does not begin."""

    code = "DM510"


class SuiteFailedError(ProofFailedError):
    """A suite of expectations does not hold on the source, so the run does not begin."""

    code = "DM520"
