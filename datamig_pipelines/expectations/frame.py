"""Reads a table into a frame, for the engines whose SQL Great Expectations does not speak."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from datamig_pipelines.expectations.subject import Subject
from datamig_pipelines.expectations.suite import NotJudged
from datamig_pipelines.session import Session

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FLOAT_DIGITS = 15  # so many decimal digits survive a float
_MIB = 1 << 20


def read_frame(subject: Subject, wanted: list[dict[str, Any]], most_mib: int) -> Any:
    """Return the columns that some expectations ask for, as a pandas frame.

    Whole numbers stay exact beside NULLs; decimals become floats where no digit is lost, and dates
    become timestamps, so that a bound in JSON can be compared with them.

    Raises:
        NotJudged: They are more than ``most_mib`` of Arrow data; reading stops there.
    """
    import pyarrow as pa

    batches, size = [], 0
    with _session(subject) as session:
        for batch in session.record_batches(subject.select(_asked(subject, wanted))):
            batches.append(batch)
            size += batch.nbytes
            if size > most_mib * _MIB:
                msg = (
                    f"{subject.dialect.label} is read into memory for Great Expectations, and the "
                    f"columns of this suite need more than {most_mib} MiB (validate: frame_mib)"
                )
                raise NotJudged(msg)
    table = pa.Table.from_batches(batches) if batches else _empty(subject, wanted)
    for at, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type) and column.type.precision <= _FLOAT_DIGITS:
            table = table.set_column(at, column.name, table.column(at).cast(pa.float64()))
        elif pa.types.is_date(column.type):
            table = table.set_column(at, column.name, table.column(at).cast(pa.timestamp("us")))
    return table.to_pandas(integer_object_nulls=True)


def bounded(kwargs: dict[str, Any], frame: Any) -> dict[str, Any]:
    """Return the arguments of an expectation; a day that bounds timestamps becomes midnight."""
    if kwargs.get("column") not in frame:
        return kwargs
    dtype = frame[kwargs["column"]].dtype
    if dtype.kind != "M":
        return kwargs
    zone = "+00:00" if getattr(dtype, "tz", None) else ""
    days = {
        bound: f"{kwargs[bound]}T00:00:00{zone}"
        for bound in ("min_value", "max_value")
        if _DAY.fullmatch(str(kwargs.get(bound)))
    }
    return {**kwargs, **days}


@contextmanager
def _session(subject: Subject) -> Iterator[Session]:
    if subject.session is not None:
        yield subject.session
        return
    with Session(subject.dialect, subject.url, readonly=True) as own:
        yield own


def _empty(subject: Subject, wanted: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.table({c: pa.array([], pa.string()) for c in _asked(subject, wanted)})


def _asked(subject: Subject, wanted: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the columns that are named anywhere in the arguments; one of them at least."""
    if any(e["type"].startswith("expect_table_column") for e in wanted):
        return subject.columns
    texts = [text for e in wanted for text in _texts(e.get("kwargs") or {})]
    # A condition names columns inside of a text.
    words = {c: re.compile(rf"(?<!\w){re.escape(c)}(?!\w)") for c in subject.columns}
    named = tuple(c for c, word in words.items() if any(word.search(t) for t in texts))
    return named or subject.columns[:1]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
