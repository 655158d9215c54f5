"""What a file may say about one table."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from datamig_pipelines.spec.model import SpecModel

Name = Annotated[str, Field(min_length=1)]
Shards = Literal["auto"] | Annotated[int, Field(ge=1, le=10_000)]


class ColumnSpec(SpecModel):
    """What happens to one column, or where a new one comes from."""

    rename: Name | None = Field(default=None, description="Name in the target.")
    drop: bool = Field(default=False, description="Leave the column behind.")
    expression: Name | None = Field(
        default=None, description="SQL of the source engine that yields the value."
    )
    type: Name | None = Field(
        default=None,
        description="Type in the target, in the target's own words; needed for new columns.",
    )

    @model_validator(mode="after")
    def _drop_stands_alone(self) -> Self:
        if self.drop and (self.rename or self.expression or self.type):
            msg = "drop: true cannot stand with rename, expression or type"
            raise ValueError(msg)
        return self


class TableSpec(SpecModel):
    """What happens to one table on its way. Everything but the name is optional."""

    name: Name = Field(
        description="Table in the source; schema.table where it is not the default schema."
    )
    rename: Name | None = Field(default=None, description="Name in the target.")
    where: Name | None = Field(
        default=None, description="SQL of the source engine; rows it is true for are moved."
    )
    key: tuple[Name, ...] = Field(
        default=(),
        description="Columns to read in order of; default: primary key, else a unique key.",
    )
    columns: dict[str, ColumnSpec] = Field(default_factory=dict, description="By column name.")
    transform: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$",
        description="Python function module.name that takes and returns a polars or pandas frame.",
    )
    batch_size: int | None = Field(default=None, ge=1, le=1_000_000, description="Rows per batch.")
    shards: Shards | None = Field(default=None, description="As the migration's, for this table.")


class When(SpecModel):
    """Which columns a cast rule is for: those that all of what is written here is true of."""

    type: Name | None = Field(
        default=None, description="Type in the source as declared there, or its kind."
    )
    column: Name | None = Field(default=None, description="table.column; * is allowed in both.")
    unsigned: bool | None = Field(default=None, description="Whether the integer has no sign.")
    precision: Annotated[str, Field(pattern=r"^(<|<=|>|>=)?\s*\d+$")] | None = Field(
        default=None,
        coerce_numbers_to_str=True,
        description="Digits, or length of a text: 1, <= 9, > 38.",
    )
    auto_increment: bool | None = Field(
        default=None, description="Whether the engine fills the column from a counter."
    )
    not_null: bool | None = Field(default=None, description="Whether NULL is forbidden.")
    default: str | None = Field(
        default=None,
        coerce_numbers_to_str=True,
        description="The column's default, as its value: 0, 0000-00-00.",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            msg = "write type, column, or what else is true of the columns"
            raise ValueError(msg)
        return self


class Cast(SpecModel):
    """A rule for the type of columns in the target; the first rule that matches counts."""

    when: When
    to: Name = Field(description="Type in the target, in the target's own words.")
