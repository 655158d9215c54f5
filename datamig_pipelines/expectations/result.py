"""What came out of a suite, in counts; values only where the spec shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from datamig_pipelines.spec import Side, Suite

_COUNTS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count")
_HARMLESS = ("expect_table_", "unexpected_rows_expectation")
"""What these observe are counts and the names of columns, never values."""

Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class SuiteResult:
    """The outcome of a suite; ``failed`` holds counts, and values only where it shows them.

    ``page`` is the path of its Data Docs page, '' if there is none.
    """

    passed: bool
    severity: Severity
    evaluated: int
    failed: tuple[dict[str, Any], ...]
    message: str
    side: Side = "after"
    table: str = ""
    file: str = ""
    blocking: bool = True
    digest: str = ""
    judged_at: str = ""
    page: str = ""

    @property
    def decisive(self) -> bool:
        """Say whether nothing may follow."""
        return not self.passed and self.blocking and self.severity == "error"


def not_judged(suite: Suite, reason: object) -> SuiteResult:
    """Return the result of a suite about which nothing can be said; never green."""
    return SuiteResult(
        passed=False,
        severity="error",
        evaluated=0,
        failed=(),
        message=f"{suite.file} was not judged: {reason}",
    )


def result_of(
    wanted: Sequence[dict[str, Any]], outcome: Sequence[Any], suite: Suite
) -> SuiteResult:
    """Return what Great Expectations' results come to; it must have judged all that is wanted."""
    failed = tuple(_failure(r, show_values=suite.show_values) for r in outcome if not holds(r))
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
    if idle := sorted({_what(r) for r in outcome if holds(r) and _saw_nothing(r)}):
        parts.append(f"no value to judge (empty table or all NULL) for {', '.join(idle)}")
    message = f"{suite.file}: {'; '.join(parts)}"
    return SuiteResult(
        passed=not failed, severity=worst, evaluated=len(outcome), failed=failed, message=message
    )


def holds(result: Any) -> bool:
    """Say whether an expectation was computed and is true."""
    return result.success is True and not _raised(result.exception_info)


def shown(result: Any, *, show_values: bool) -> tuple[dict[str, Any], str]:
    """Return what people may see of one result, and why it could not be computed, or ''."""
    found = result.result or {}
    told = {name: found[name] for name in _COUNTS if found.get(name) is not None}
    if show_values or result.expectation_config.type.startswith(_HARMLESS):
        told |= {n: found[n] for n in ("observed_value",) if n in found}
    if show_values and found.get("partial_unexpected_list"):
        told["partial_unexpected_list"] = found["partial_unexpected_list"]
    raised = _raised(result.exception_info)
    return told, _reason(raised[0], show_values=show_values) if raised else ""


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
    config = result.expectation_config
    figures, reason = shown(result, show_values=show_values)
    examples = figures.pop("partial_unexpected_list", None)
    told: dict[str, Any] = {
        "expectation": config.type,
        "of": _what(result).removeprefix(config.type).strip(),
        "severity": str(getattr(config.severity, "value", config.severity) or "critical"),
        **figures,
    }
    if examples:
        told["examples"] = [str(v) for v in examples]
    if reason:
        told["not_judged"] = reason
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
