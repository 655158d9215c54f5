"""DM1xx: the YAML is wrong; no database was touched."""

from datamig_pipelines.errors.base import DatamigError


class SpecError(DatamigError):
    """The YAML is wrong; no database was touched."""

    code = "DM100"
    exit_code = 4


class UnknownEngineError(SpecError):
    """The URL names an engine that nobody here speaks."""

    code = "DM101"


class MissingSecretError(SpecError):
    """An environment variable that the YAML names is not set, or a password stands in the YAML."""

    code = "DM102"


class TransformNotFoundError(SpecError):
    """The Python function that a table names cannot be imported or has the wrong signature."""

    code = "DM103"


class FilesUrlError(SpecError):
    """The URL of files names no folder or bucket, or an option that files do not have."""

    code = "DM130"


class UnknownPredecessorError(SpecError):
    """``after`` names a migration that is not there."""

    code = "DM160"


class LineCycleError(SpecError):
    """Migrations come after each other in a ring, so that none is the first."""

    code = "DM161"


class TwoHeadsError(SpecError):
    """Two migrations come directly after the same one, so that nobody knows which is next."""

    code = "DM162"


class LineTargetsError(SpecError):
    """A migration comes after one of another target."""

    code = "DM163"


class UnknownVersionError(SpecError):
    """The direction is neither up, down or latest nor a migration of this line."""

    code = "DM164"


class ScratchUnfitError(SpecError):
    """The place for scratch databases is no database of the same engine."""

    code = "DM150"


class SuitesMissingError(SpecError):
    """A pattern of suites finds no file, so that nothing would be judged."""

    code = "DM170"
