"""What does not arrive exactly between two engines, and why. The test holds this to be the truth.

``cannot``: the target has no such thing. ``not_yet``: it could be mended, and is not. ``will_not``:
a decision. ``outcome`` is what was measured: documented (the plan, a reject or a proof says it) or
missing (nobody says it, or the thing is gone).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """Some cells of the matrix that are not exact; engines are separated by blanks, * is any."""

    word: str
    outcome: str
    source: str
    target: str
    names: tuple[str, ...]
    reason: str

    def means(self, source: str, target: str, name: str) -> bool:
        """Say whether a cell is meant."""
        ends = ((self.source, source), (self.target, target))
        return name in self.names and all(e == "*" or own in e.split() for e, own in ends)


_SQLITE_LOOSE = (
    *("INTEGER with text", "INTEGER with real", "INTEGER with blob", "REAL with text"),
    *("TEXT with blob", "BOOLEAN with words", "DATE as nonsense", "DATE as julian day"),
    *("DATE as epoch", "DATETIME as epoch", "JSON with nonsense", "untyped"),
)

VALUES = (
    Gap("cannot", "documented", "sqlite", "postgres duckdb mysql", _SQLITE_LOOSE,
        "SQLite keeps any value in any column; a value that is not of the column's type has no home "
        "in a typed column. The row is refused and kept as a reject; give the column a cast to text."),
    Gap("cannot", "documented", "sqlite", "postgres duckdb", ("UUID with nonsense",),
        "A text that is no UUID has no home in a UUID column; the row is refused."),
    Gap("cannot", "documented", "sqlite", "postgres duckdb mysql", ("DATE as a word", "DATETIME as a word"),
        "A word is no date: the row is refused."),
    Gap("cannot", "documented", "sqlite", "duckdb", ("DECIMAL(10,2) with more",),
        "The declaration is kept as DECIMAL(10,2), which refuses more digits."),
    Gap("not_yet", "missing", "sqlite", "postgres duckdb mysql", ("DATETIME with zone",),
        "A moment with a zone in a DATETIME column becomes the same moment in UTC, without a note: "
        "the plan does not look at values. `datamig plan --count` tells how many there are."),
    Gap("not_yet", "missing", "sqlite", "postgres duckdb mysql", ("BLOB with text",),
        "A text in a BLOB column arrives as its bytes in UTF-8; that it was a text is not said."),
    Gap("cannot", "documented", "sqlite mysql duckdb", "postgres",
        ("TEXT with NUL", "text with NUL", "VARCHAR with NUL"),
        "PostgreSQL's text has no NUL; the row is refused."),
    Gap("cannot", "documented", "sqlite postgres duckdb", "mysql",
        ("REAL infinity", "numeric NaN", "double NaN", "DOUBLE NaN"),
        "MySQL has neither NaN nor infinity; the row is refused."),
    Gap("cannot", "missing", "postgres duckdb", "sqlite mysql", ("double -0", "DOUBLE -0"),
        "The target keeps no negative zero: it becomes 0, which is equal to it. Nobody says so."),
    Gap("cannot", "documented", "postgres duckdb", "mysql",
        ("date BC", "date above 9999", "date infinity", "timestamp BC", "timestamp infinity",
         "timestamptz infinity", "DATE BC", "DATE above 9999", "DATE infinity", "TIMESTAMP infinity"),
        "MySQL's dates go from year 0 to 9999 and have no infinity; the row is refused."),
    Gap("cannot", "documented", "postgres duckdb", "mysql",
        ("numeric(80,40)", "numeric 131072 digits", "BIGNUM", "DECIMAL(38,38)"),
        "MySQL's DECIMAL has 65 digits, 30 of them behind the point; more is refused."),
    Gap("not_yet", "documented", "postgres", "mysql", ("real",),
        "The largest float, written with the digits that PostgreSQL prints, is out of MySQL's range; "
        "the row is refused."),
    Gap("cannot", "documented", "duckdb", "mysql", ("TIME_NS", "TIMESTAMP_NS"),
        "MySQL's seconds have six digits; finer values are refused."),
    Gap("cannot", "documented", "duckdb", "postgres", ("TIME_NS", "TIMESTAMP_NS"),
        "PostgreSQL's seconds have six digits; finer values are rounded, as the plan says, and the "
        "fingerprint calls them different."),
    Gap("cannot", "documented", "duckdb", "postgres", ("DATE above 9999",),
        "PostgreSQL's dates end in 5874897; later ones are refused."),
    Gap("cannot", "documented", "postgres", "duckdb", ("timestamp infinity",),
        "DuckDB's timestamps end a little before PostgreSQL's; the last year is refused."),
    Gap("cannot", "documented", "postgres", "duckdb", ("varbit",),
        "DuckDB has no empty BIT; the row is refused."),
    Gap("not_yet", "documented", "postgres", "duckdb", ("integer[][]",),
        "PostgreSQL does not say how many dimensions an array has; one of two is refused by a list."),
    Gap("will_not", "documented", "postgres", "mysql sqlite duckdb", ("composite",),
        "A composite value becomes a JSON object of its fields."),
    Gap("will_not", "documented", "duckdb", "postgres mysql sqlite", ("STRUCT", "MAP", "UNION"),
        "A nested value becomes its JSON."),
    Gap("cannot", "documented", "mysql", "postgres duckdb",
        ("date zero", "date partial", "datetime zero", "timestamp zero"),
        "No other engine has the date 0000-00-00, or a date without a day; the row is refused."),
    Gap("will_not", "documented", "mysql", "*", ("enum error value",),
        "The empty text that MySQL writes for a wrong value is no value of the enum; refused."),
)  # fmt: skip

_PROGRAMS = ("trigger", "function", "sequence")

OBJECTS = (
    Gap("will_not", "documented", "postgres", "mysql sqlite duckdb", _PROGRAMS,
        "Programs and counters of an engine stay there; the plan names each of them."),
    Gap("will_not", "documented", "mysql", "postgres sqlite duckdb", _PROGRAMS,
        "Programs and counters of an engine stay there; the plan names each of them."),
    Gap("will_not", "documented", "sqlite", "postgres mysql duckdb", ("trigger",),
        "Programs and counters of an engine stay there; the plan names each of them."),
    Gap("will_not", "documented", "duckdb", "postgres mysql sqlite", ("function", "sequence"),
        "Programs and counters of an engine stay there; the plan names each of them."),
    Gap("not_yet", "documented", "mysql", "mysql", ("sequence",), "Named in the plan, not moved."),
    Gap("will_not", "documented", "postgres", "mysql sqlite duckdb", ("partitions",),
        "A partitioned table becomes one plain table."),
    Gap("will_not", "documented", "mysql", "*", ("partitions",),
        "A partitioned table becomes one plain table."),
    Gap("cannot", "documented", "*", "duckdb", ("reference to itself",),
        "DuckDB cannot update a table that refers to itself."),
    Gap("cannot", "documented", "*", "duckdb", ("ON DELETE CASCADE",),
        "DuckDB's foreign keys have no actions."),
    Gap("cannot", "documented", "*", "duckdb", ("descending index", "unique partial index"),
        "DuckDB's indexes are ascending and whole."),
    Gap("cannot", "documented", "postgres mysql", "duckdb", ("length of varchar",),
        "DuckDB does not enforce a length."),
    Gap("not_yet", "missing", "postgres mysql", "sqlite", ("length of varchar",),
        "SQLite does not enforce a length; the plan does not say so."),
    Gap("cannot", "documented", "*", "mysql", ("unique partial index", "index over an expression"),
        "MariaDB 10.11 has neither partial indexes nor indexes over expressions."),
    Gap("will_not", "documented", "postgres", "mysql sqlite duckdb",
        ("fulltext or GIN index",), "Known to PostgreSQL alone."),
    Gap("not_yet", "documented", "mysql", "sqlite duckdb", ("fulltext or GIN index",),
        "A full text index has no translation."),
    Gap("not_yet", "documented", "sqlite", "postgres mysql duckdb", ("case blind unique",),
        "The collation NOCASE is named in the plan, not moved."),
    Gap("not_yet", "documented", "mysql", "postgres sqlite duckdb", ("case blind unique",),
        "Texts that MySQL's collation calls equal are two values there."),
    Gap("cannot", "documented", "*", "sqlite", ("comments",), "SQLite has no comments."),
)  # fmt: skip


def gap_of(source: str, target: str, name: str) -> Gap | None:
    """Return the gap that a cell falls into, None for one that is exact."""
    return next((g for g in (*VALUES, *OBJECTS) if g.means(source, target, name)), None)
