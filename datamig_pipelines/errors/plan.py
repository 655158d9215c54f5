"""DM2xx: the YAML is fine, the databases make it impossible; nothing changed."""

from datamig_pipelines.errors.base import DatamigError


class PlanError(DatamigError):
    """The YAML is fine, the databases make it impossible; nothing was changed."""

    code = "DM200"
    exit_code = 5


class TableMissingError(PlanError):
    """The spec names a table that the source does not have."""

    code = "DM201"


class ColumnMissingError(PlanError):
    """The spec names a column that the table does not have."""

    code = "DM202"


class KeyUnsupportedError(PlanError):
    """The key asked for cannot be read in order."""

    code = "DM203"


class NameCollisionError(PlanError):
    """Two things would get the same name in the target."""

    code = "DM204"


class TypeUnsupportedError(PlanError):
    """A type of the source has no home in the target."""

    code = "DM205"


class TargetNotEmptyError(PlanError):
    """The target already has a table that this migration would create."""

    code = "DM206"


class NotYetError(PlanError):
    """A thing that this version does not do."""

    code = "DM207"


class PlanOutdatedError(PlanError):
    """The plan that was asked for is not what a run would do now."""

    code = "DM260"


class BaselineError(PlanError):
    """The target does not hold what a baseline would say is there."""

    code = "DM261"


class ScriptError(PlanError):
    """The plan cannot be written as a script that anybody can run."""

    code = "DM250"
