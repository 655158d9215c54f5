"""Statements as files: how an engine's own client, or anybody's driver, can be given them."""

from datamig_pipelines.dialects.ddl import Ddl
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import ScriptError


class Scripting(Ddl):
    """Writes statements for those who do not hold our sessions. Pure text."""

    def script_head(self) -> list[str]:
        """Return what a client's session needs to read the statements as ours would."""
        return []

    def script(self, statement: Statement) -> str:
        """Return a statement as the engine's client reads it from a file, with its end."""
        return self.bare(statement).rstrip().removesuffix(";") + ";"

    def bare(self, statement: Statement) -> str:
        """Return a statement with its bound values written into it.

        Raises:
            ScriptError: It is not to be seen which mark stands for which value.
        """
        if not statement.parameters:
            return statement.sql
        parts = statement.sql.split(self.placeholder)
        if len(parts) != len(statement.parameters) + 1:
            msg = f"a statement cannot be written without its bound values: {statement.purpose}"
            raise ScriptError(msg, hint="Use `datamig run`, which binds them.")
        values = [self._written(v) for v in statement.parameters]
        return "".join(p + v for p, v in zip(parts, [*values, ""], strict=True))

    def _written(self, value: object) -> str:
        if value is None:
            return "NULL"
        return str(value) if isinstance(value, int | float) else self.literal(str(value))
