"""Which proofs and expectation suites a migration has to pass."""

from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from datamig_pipelines.spec.model import SpecModel

ProofName = Literal[
    "row_count", "fingerprint", "schema", "foreign_keys", "counters", "column_statistics"
]


Side = Literal["before", "after"]
"""When suites are judged: on the source before a run, or on the target after its load."""


class Suite(SpecModel):
    """A Great Expectations suite for one table; a text alone is its file."""

    table: str = Field(
        default="",
        description="Table in the source, as in tables.name. Default: the file's name.",
    )
    file: str = Field(
        min_length=1,
        description="Suite as JSON, relative to the YAML file; without a table, * is allowed.",
    )
    blocking: bool = Field(
        default=True, description="A failed expectation that is critical fails the run."
    )
    show_values: bool = Field(
        default=False,
        description="Show failing values (they may be personal data) in the check's metadata.",
    )

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _pattern_names_its_tables(self) -> Self:
        if self.is_pattern and self.table:
            raise ValueError("file: a pattern takes the tables from the names of its files")
        if any("**" in part and part != "**" for part in PurePosixPath(self.file).parts):
            raise ValueError("file: ** stands for folders, alone between slashes: a/**/*.json")
        return self

    @property
    def is_pattern(self) -> bool:
        """Say whether it stands for all suites of a folder."""
        return "*" in self.file

    def each(self, base: Path) -> list[Self]:
        """Return the suite with its table, or those that the pattern finds below ``base``."""
        if not self.is_pattern:
            named = {"table": self.table or PurePosixPath(self.file).stem}
            return [self.model_copy(update=named)]
        found = sorted(base.glob(self.file)) if not Path(self.file).is_absolute() else []
        return [
            self.model_copy(update={"file": f.relative_to(base).as_posix(), "table": f.stem})
            for f in found
            if f.is_file()
        ]


class Validation(SpecModel):
    """Proofs, all of them but column_statistics by default, and the user's suites."""

    proofs: tuple[ProofName, ...] = (
        "row_count",
        "fingerprint",
        "schema",
        "foreign_keys",
        "counters",
    )
    before: tuple[Suite, ...] = Field(
        default=(),
        description="Great Expectations suites of the source, judged before anything is touched.",
    )
    suites: tuple[Suite, ...] = Field(
        default=(), description="Great Expectations suites of the target, judged after the load."
    )
    frame_mib: int = Field(
        default=512,
        ge=1,
        description="Most data that a suite on DuckDB or files, read into memory, may need.",
    )
    show_values: bool = Field(
        default=False,
        description="Show differing values (they may be personal data) in the check's metadata.",
    )
