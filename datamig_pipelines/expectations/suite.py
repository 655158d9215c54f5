"""The user's Great Expectations suites, judged on the target. What cannot be judged is not green.

Great Expectations is imported inside: it takes seconds and 200 MB.
"""

import json
import logging
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import SpecError, without_secrets
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration, Suite

_DRIVERS = {"postgresql": "postgresql+psycopg2", "sqlite": "sqlite", "mysql": "mysql+pymysql"}
"""Engines whose SQL Great Expectations speaks; the others are read into a frame."""
_READ_ONLY: dict[str, dict[str, Any]] = {
    "postgresql": {"connect_args": {"options": "-c default_transaction_read_only=on"}},
    "mysql": {"connect_args": {"init_command": "SET SESSION TRANSACTION READ ONLY"}},
}
_COUNTS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count")
_REFUSED = {
    "expect_query_results_to_match_comparison": "Great Expectations compares 200 rows only and "
    "calls the rest equal; the proofs of this project compare source and target",
}
_HARMLESS = ("expect_table_", "unexpected_rows_expectation")
"""What these observe are counts and the names of columns, never values."""
_NEEDED = {
    "_in_type_list": "type_list",
    "_ordered_list": "column_list",
    "_columns_to_match_set": "column_set",
}
_LISTS = {"value_set", "value_pairs_set", "column_list", "column_set", "type_list", "regex_list"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FLOAT_DIGITS = 15  # so many decimal digits survive a float

Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class SuiteResult:
    """The outcome of a suite; ``failed`` holds counts, and values only where it shows them."""

    passed: bool
    severity: Severity
    evaluated: int
    failed: tuple[dict[str, Any], ...]
    message: str


class _NotJudged(Exception):  # noqa: N818 (no error of the user's: it becomes a result)
    """Why nothing can be said; never green."""


def check_suite(migration: Migration, suite: Suite, table: TableName | None = None) -> SuiteResult:
    """Judge a suite on its table in the target; ``table`` is that table's name if a plan knows it.

    Raises:
        SpecError: The suite's file cannot be read.
        EngineError: The target does not answer.
    """
    wanted = _read(migration, suite)
    url = migration.target_url()
    try:
        _refuse(wanted)
        name = _find(migration, suite, url, table)
        with _quiet():
            outcome = _judge(wanted, url, name, show_values=suite.show_values)
    except _NotJudged as reason:
        return SuiteResult(
            passed=False,
            severity="error",
            evaluated=0,
            failed=(),
            message=f"{suite.file} was not judged: {reason}",
        )
    return _result(wanted, outcome, suite)


def _read(migration: Migration, suite: Suite) -> list[dict[str, Any]]:
    path = migration.path(suite.file)
    hint = "Write it with Great Expectations 1.x: `suite.to_json_dict()`."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"the suite {suite.file} cannot be read: {error.strerror}"
        raise SpecError(
            msg, hint="The path is relative to the YAML file.", where=str(path)
        ) from None
    except ValueError as error:
        raise SpecError(f"this is no JSON: {error}", hint=hint, where=str(path)) from None
    found = content.get("expectations") if isinstance(content, dict) else None
    if not isinstance(found, list) or not all(isinstance(e, dict) and e.get("type") for e in found):
        msg = "a suite is an object with `expectations`, each with a `type`"
        raise SpecError(msg, hint=hint, where=str(path))
    return found


def _refuse(wanted: list[dict[str, Any]]) -> None:
    """Raise _NotJudged for what Great Expectations would call green whatever the data are."""
    if not wanted:
        raise _NotJudged("it holds no expectation")
    for expectation in wanted:
        kind = expectation["type"]
        if reason := _REFUSED.get(kind) or _idle(kind, expectation.get("kwargs", {})):
            raise _NotJudged(f"{kind}: {reason}")


def _idle(kind: str, kwargs: dict[str, Any]) -> str:
    """Return why an expectation holds for any data, '' if it does not."""
    if kwargs.get("mostly") == 0:
        return "`mostly: 0` holds for any data"
    if kind.endswith("_to_be_between") and "quantile" not in kind:
        bounds = {kwargs.get("min_value"), kwargs.get("max_value")}
        return "neither min_value nor max_value is given" if bounds == {None} else ""
    needed = {name for end, name in _NEEDED.items() if kind.endswith(end)}
    empty = sorted(n for n in needed | (_LISTS & set(kwargs)) if not kwargs.get(n))
    if (kwargs.get("quantile_ranges") or {}).get("quantiles") == []:
        empty.append("quantiles")
    return f"{', '.join(empty)} is empty" if empty else ""


def _find(migration: Migration, suite: Suite, url: URL, table: TableName | None) -> TableName:
    """Return the table in the target as its catalog spells it."""
    dialect = get_dialect(url)
    if dialect.file_missing(url):
        raise _NotJudged("the target does not exist yet")
    spec = migration.table_spec(suite.table)
    short = (spec.rename if spec else None) or suite.table.rpartition(".")[2]
    schema = migration.target.schema_name or dialect.default_schema(url)
    wanted = table or TableName(schema, short)
    with Session(dialect, url, readonly=True) as session:
        there = [t.name for t in dialect.read_catalog(session, wanted.schema).tables]
    same = [n for n in there if n == wanted] or [
        n for n in there if n.name.lower() == wanted.name.lower()
    ]
    if len(same) != 1:
        raise _NotJudged(f"the target has no table {wanted}")
    return same[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Great Expectations from writing values and tracebacks into the log."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _judge(
    wanted: list[dict[str, Any]], url: URL, name: TableName, *, show_values: bool
) -> list[Any]:
    """Return one result per expectation of the file, in no order. Raises _NotJudged."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    setattr(context.variables, "progress_bars", {"globally": False})  # noqa: B010 (typed too narrowly)
    samples = {"result_format": "BASIC", "partial_unexpected_count": 20 if show_values else 0}
    frame = None if get_dialect(url).name in _DRIVERS else _frame(url, name)
    try:
        made = gx.ExpectationSuite(name="suite", expectations=[_clean(e, frame) for e in wanted])
    except Exception as error:  # its families of errors are many, some from pydantic 1
        raise _NotJudged(f"an expectation is not valid: {without_secrets(str(error))}") from error
    if len(made.expectations) != len(wanted):
        # It drops what it does not understand, and says so in the log only.
        left = Counter(e["type"] for e in wanted) - Counter(
            e.expectation_type for e in made.expectations
        )
        raise _NotJudged(
            f"Great Expectations has no such type or severity: {', '.join(sorted(left))}"
        )
    try:
        batch = _sql_batch(context, url, name) if frame is None else _frame_batch(context, frame)
        return list(batch.validate(made, result_format=samples).results)
    except Exception as error:
        words = (
            f": {without_secrets(str(error))}"
            if show_values
            else " (show_values: true shows its words)"
        )
        raise _NotJudged(f"{type(error).__name__}{words}") from error


def _sql_batch(context: Any, url: URL, name: TableName) -> Any:
    dialect = get_dialect(url)
    address = url.set(drivername=_DRIVERS[dialect.name]).render_as_string(hide_password=False)
    more = _READ_ONLY.get(dialect.name, {})
    with warnings.catch_warnings(action="ignore"):  # it would rather be called by another name
        source = context.data_sources.add_sql("target", connection_string=address, kwargs=more)
    schema = name.schema if dialect.can.schemas else None
    asset = source.add_table_asset("table", table_name=name.name, schema_name=schema)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _frame_batch(context: Any, frame: Any) -> Any:
    asset = context.data_sources.add_pandas("target").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})


def _frame(url: URL, name: TableName) -> Any:
    """Read a table with its own engine into pandas.

    Whole numbers stay exact beside NULLs; decimals become floats where no digit is lost, so that a
    bound in JSON can equal them.
    """
    import pyarrow as pa

    dialect = get_dialect(url)
    with Session(dialect, url, readonly=True) as session:
        there = dialect.read_catalog(session, name.schema).tables
        columns = [c.name for t in there if t.name == name for c in t.columns]
        raw = session._connection.raw  # noqa: SLF001 (the one way to what the engine hands over)
        table = raw.execute(dialect.fetch(name, columns)).to_arrow_table()
    for at, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type) and column.type.precision <= _FLOAT_DIGITS:
            table = table.set_column(at, column.name, table.column(at).cast(pa.float64()))
    return table.to_pandas(integer_object_nulls=True)


def _clean(expectation: dict[str, Any], frame: Any) -> dict[str, Any]:
    """Return what a file may say; a day that bounds timestamps of a frame becomes midnight."""
    kwargs = dict(expectation.get("kwargs") or {})
    if frame is not None and kwargs.get("column") in frame:
        zone = {"datetime64": "", "datetime64tz": "+00:00"}.get(
            _kind(frame[kwargs["column"]].dtype)
        )
        for bound in ("min_value", "max_value"):
            if zone is not None and _DAY.fullmatch(str(kwargs.get(bound))):
                kwargs[bound] = f"{kwargs[bound]}T00:00:00{zone}"
    more: dict[str, Any] = {
        key: expectation[key] for key in ("meta", "severity") if key in expectation
    }
    return {"type": expectation["type"], "kwargs": kwargs, **more}


def _kind(dtype: Any) -> str:
    return (
        ("datetime64tz" if getattr(dtype, "tz", None) else "datetime64")
        if dtype.kind == "M"
        else ""
    )


def _result(wanted: list[dict[str, Any]], outcome: list[Any], suite: Suite) -> SuiteResult:
    failed = tuple(_failure(r, show_values=suite.show_values) for r in outcome if not _holds(r))
    if len(outcome) != len(wanted):
        text = f"{len(outcome)} of {len(wanted)} expectations were judged"
        return SuiteResult(
            passed=False,
            severity="error",
            evaluated=len(outcome),
            failed=failed,
            message=f"{suite.file}: {text}",
        )
    worst: Severity = (
        "warn" if failed and all(f["severity"] != "critical" for f in failed) else "error"
    )
    parts = [f"{len(outcome) - len(failed)} of {len(outcome)} expectations hold"]
    parts += [_sentence(f) for f in failed[:3]] + (["…"] if len(failed) > 3 else [])
    if idle := sorted({_what(r) for r in outcome if _holds(r) and _saw_nothing(r)}):
        parts.append(f"no value to judge (empty table or all NULL) for {', '.join(idle)}")
    message = f"{suite.file}: {'; '.join(parts)}"
    return SuiteResult(
        passed=not failed, severity=worst, evaluated=len(outcome), failed=failed, message=message
    )


def _holds(result: Any) -> bool:
    return result.success is True and not _raised(result.exception_info)


def _raised(info: Any) -> list[dict[str, Any]]:
    """Return what was raised; the info is one record, or one per metric."""
    if not isinstance(info, dict):
        return []
    records = (
        [info] if "raised_exception" in info else [r for r in info.values() if isinstance(r, dict)]
    )
    return [r for r in records if r.get("raised_exception")]


def _saw_nothing(result: Any) -> bool:
    counts = result.result or {}
    if counts.get("element_count") is None:
        return False
    return int(counts["element_count"]) <= int(counts.get("missing_count") or 0)


def _what(result: Any) -> str:
    kwargs = result.expectation_config.kwargs
    column = kwargs.get("column") or kwargs.get("column_list") or kwargs.get("column_A") or ""
    return f"{result.expectation_config.type} {column}".strip()


def _failure(result: Any, *, show_values: bool) -> dict[str, Any]:
    config, found = result.expectation_config, result.result or {}
    told: dict[str, Any] = {
        "expectation": config.type,
        "of": _what(result).removeprefix(config.type).strip(),
        "severity": str(getattr(config.severity, "value", config.severity) or "critical"),
        **{name: found[name] for name in _COUNTS if found.get(name) is not None},
    }
    if show_values or config.type.startswith(_HARMLESS):
        told |= {n: found[n] for n in ("observed_value",) if n in found}
    if show_values and found.get("partial_unexpected_list"):
        told["examples"] = [str(v) for v in found["partial_unexpected_list"]]
    if raised := _raised(result.exception_info):
        told["not_judged"] = _reason(raised[0], show_values=show_values)
        told["severity"] = "critical"
    return told


def _reason(record: dict[str, Any], *, show_values: bool) -> str:
    message = str(record.get("exception_message") or "").strip()
    if show_values or message.startswith(("Error: The column", "No provider found")):
        return message[:500]
    last = str(record.get("exception_traceback") or "").strip().splitlines()[-1:]
    kind = last[0].partition(":")[0].rpartition(".")[2] if last else "an error"
    return f"{kind} (show_values: true shows its words)"


def _sentence(failure: dict[str, Any]) -> str:
    where = f"{failure['expectation']} {failure['of']}".strip()
    if "not_judged" in failure:
        return f"{where} could not be judged: {failure['not_judged']}"
    if "unexpected_count" in failure:
        return f"{where}: {failure['unexpected_count']} of {failure.get('element_count', '?')} rows"
    found = f": found {failure['observed_value']}" if "observed_value" in failure else ""
    return f"{where} does not hold{found}"
