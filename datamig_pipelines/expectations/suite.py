"""A suite's file: read, and refused where Great Expectations would call it green for any data."""

import json
from typing import Any

from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import Migration, Suite

_REFUSED = {
    "expect_query_results_to_match_comparison": "Great Expectations compares 200 rows only and "
    "calls the rest equal; the proofs of this project compare source and target",
}
_NEEDED = {
    "_in_type_list": "type_list",
    "_ordered_list": "column_list",
    "_columns_to_match_set": "column_set",
}
_LISTS = {"value_set", "value_pairs_set", "column_list", "column_set", "type_list", "regex_list"}


class NotJudged(Exception):  # noqa: N818 (no error of the user's: it becomes a result)
    """Why nothing can be said; never green."""


def read_suite(migration: Migration, suite: Suite) -> list[dict[str, Any]]:
    """Return the expectations of a suite's file. Raises SpecError."""
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
    if not isinstance(found, list) or not all(_is_expectation(e) for e in found):
        msg = "a suite is an object with `expectations`, each with a `type`"
        raise SpecError(msg, hint=hint, where=str(path))
    return found


def _is_expectation(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        return False
    return isinstance(found.get("kwargs") or {}, dict)


def refuse_idle(wanted: list[dict[str, Any]]) -> None:
    """Raise NotJudged for what Great Expectations would call green whatever the data are."""
    if not wanted:
        raise NotJudged("it holds no expectation")
    for expectation in wanted:
        kind = expectation["type"]
        if reason := _REFUSED.get(kind) or _idle(kind, expectation.get("kwargs") or {}):
            raise NotJudged(f"{kind}: {reason}")


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
