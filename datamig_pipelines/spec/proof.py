"""Which proofs and expectation suites a migration has to pass."""

from typing import Literal

from pydantic import Field

from datamig_pipelines.spec.model import SpecModel

ProofName = Literal[
    "row_count", "fingerprint", "schema", "foreign_keys", "counters", "column_statistics"
]


class Suite(SpecModel):
    """A Great Expectations suite for one table of the target."""

    table: str = Field(description="Table in the source, as in tables.name.")
    file: str = Field(description="Suite as JSON, relative to the YAML file.")
    blocking: bool = Field(default=True, description="A failed expectation fails the run.")
    show_values: bool = Field(
        default=False,
        description="Show failing values (they may be personal data) in the check's metadata.",
    )


class Validation(SpecModel):
    """Proofs, all of them but column_statistics by default, and the user's suites."""

    proofs: tuple[ProofName, ...] = (
        "row_count",
        "fingerprint",
        "schema",
        "foreign_keys",
        "counters",
    )
    suites: tuple[Suite, ...] = ()
    show_values: bool = Field(
        default=False,
        description="Show differing values (they may be personal data) in the check's metadata.",
    )
