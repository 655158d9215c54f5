"""Judges suites with Great Expectations. What cannot be judged is not green.

Great Expectations is imported inside: it takes seconds and 200 MB.
"""

import logging
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import URL

from datamig_pipelines.errors import without_secrets
from datamig_pipelines.expectations.docs import publish
from datamig_pipelines.expectations.frame import bounded, read_frame
from datamig_pipelines.expectations.result import SuiteResult, not_judged, result_of
from datamig_pipelines.expectations.subject import Subject, digest_of, subject_of
from datamig_pipelines.expectations.suite import NotJudged, read_suite, refuse_idle
from datamig_pipelines.ledger.entry import now
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration, Side, Suite
from datamig_pipelines.transfer import Route

_A_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")
"""What SQLAlchemy takes for a parameter in a text."""
_NAMED = ("column", "column_A", "column_B", "column_list", "column_set")


def check_suite(
    migration: Migration,
    suite: Suite,
    side: Side = "after",
    route: Route | None = None,
    session: Session | None = None,
) -> SuiteResult:
    """Judge a suite on its table and publish its Data Docs page.

    Args:
        migration: Whose suite it is.
        suite: The suite, with its table.
        side: ``before``: on the rows of the source that are moved; ``after``: on the target.
        route: How the plan moves the table; needed for the source.
        session: An open session of the database, for engines whose file takes no second one.

    Raises:
        SpecError: The suite's file cannot be read.
        EngineError: The database does not answer.
    """
    wanted = read_suite(migration, suite)
    outcome: Any = None
    try:
        refuse_idle(wanted)
        subject = subject_of(migration, suite, side, route, session)
        with _quiet():
            outcome = _judge(wanted, subject, suite, migration.validation.frame_mib)
        result = result_of(wanted, list(outcome.results), suite)
    except NotJudged as reason:
        result = not_judged(suite, reason)
    result = replace(
        result,
        side=side,
        table=suite.table,
        file=suite.file,
        blocking=suite.blocking,
        digest=digest_of(migration, suite, route),
        judged_at=now(),
    )
    with _quiet():
        return publish(migration, result, outcome, show_values=suite.show_values)


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


@contextmanager
def _stackless(util: Any) -> Iterator[None]:
    """Keep Great Expectations from searching the sources of all its callers for every decimal.

    It does so to know whether to log a warning, which nobody sees here, and takes 0.1 s each time.
    """
    kept = util.stack
    util.stack = list
    try:
        yield
    finally:
        util.stack = kept


def _judge(wanted: list[dict[str, Any]], subject: Subject, suite: Suite, frame_mib: int) -> Any:
    """Return Great Expectations' result of all expectations of the file. Raises NotJudged."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    setattr(context.variables, "progress_bars", {"globally": False})  # noqa: B010 (typed too narrowly)
    speaks = subject.dialect.alchemy is not None
    frame = None if speaks else read_frame(subject, _here(wanted, subject), frame_mib)
    made = _made(gx, _here(wanted, subject), frame, suite)
    samples = {
        "result_format": "BASIC",
        "partial_unexpected_count": 20 if suite.show_values else 0,
    }
    try:
        with _stackless(gx.util), _batch(context, subject, frame) as batch:
            return batch.validate(made, result_format=samples)
    except Exception as error:
        words = (
            f": {without_secrets(str(error))}"
            if suite.show_values
            else " (show_values: true shows its words)"
        )
        raise NotJudged(f"{type(error).__name__}{words}") from error


def _here(wanted: list[dict[str, Any]], subject: Subject) -> list[dict[str, Any]]:
    """Return the expectations with the names that columns have where they are judged."""
    return [{**e, "kwargs": _renamed(e.get("kwargs") or {}, subject)} for e in wanted]


def _renamed(kwargs: dict[str, Any], subject: Subject) -> dict[str, Any]:
    renamed = dict(kwargs)
    for name in _NAMED:
        value = kwargs.get(name)
        if isinstance(value, list):
            renamed[name] = [subject.name_of(v) for v in value]
        elif value is not None:
            renamed[name] = subject.name_of(value)
    return renamed


def _made(gx: Any, wanted: list[dict[str, Any]], frame: Any, suite: Suite) -> Any:
    """Return the suite as Great Expectations has it, complete. Raises NotJudged."""
    try:
        made = gx.ExpectationSuite(
            name=f"{suite.table}: {suite.file}", expectations=[_clean(e, frame) for e in wanted]
        )
    except Exception as error:  # its families of errors are many, some from pydantic 1
        raise NotJudged(f"an expectation is not valid: {without_secrets(str(error))}") from error
    if len(made.expectations) != len(wanted):
        # It drops what it does not understand, and says so in the log only.
        left = Counter(e["type"] for e in wanted) - Counter(
            e.expectation_type for e in made.expectations
        )
        raise NotJudged(
            f"Great Expectations has no such type or severity: {', '.join(sorted(left))}"
        )
    return made


def _clean(expectation: dict[str, Any], frame: Any) -> dict[str, Any]:
    """Return what a file may say."""
    kwargs = expectation["kwargs"]
    more: dict[str, Any] = {
        key: expectation[key] for key in ("meta", "severity") if key in expectation
    }
    shown = kwargs if frame is None else bounded(kwargs, frame)
    return {"type": expectation["type"], "kwargs": shown, **more}


@contextmanager
def _batch(context: Any, subject: Subject, frame: Any) -> Iterator[Any]:
    """Yield what is judged; its connections end with it, not when garbage is collected."""
    if frame is not None:
        yield _frame_batch(context, frame)
        return
    batch = _sql_batch(context, subject)
    try:
        yield batch
    finally:
        batch.data.execution_engine.close()
        batch.datasource.get_engine().dispose()


def _sql_batch(context: Any, subject: Subject) -> Any:
    dialect, name = subject.dialect, subject.table
    assert dialect.alchemy is not None  # noqa: S101 (else there is a frame; narrows the type)
    with warnings.catch_warnings(action="ignore"):  # it would rather be called by another name
        source = context.data_sources.add_sql(
            "database",
            connection_string=_address(subject.url, dialect.alchemy.driver),
            create_temp_table=False,
            kwargs={"connect_args": dict(dialect.alchemy.read_only)},
        )
    if subject.where:
        asset = source.add_query_asset("rows", query=_A_BIND.sub(r"\\:", subject.select()))
    else:
        schema = name.schema if dialect.can.schemas else None
        asset = source.add_table_asset("table", table_name=name.name, schema_name=schema)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _address(url: URL, driver: str) -> str:
    """Return the URL with a driver that Great Expectations knows."""
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _frame_batch(context: Any, frame: Any) -> Any:
    asset = context.data_sources.add_pandas("database").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
