"""Writes Great Expectations' own pages below ``data_docs/`` of a migration, without any value.

One page and one verdict (JSON) per suite, the newest in place of the one before. The index is
written from the verdicts, so processes that judge at the same time do not stand in each other's
way. All of it can be deleted.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.expectations.result import SuiteResult, holds, shown
from datamig_pipelines.spec import Migration

_FOLDER = "data_docs"
_FOREIGN = re.compile(r"[^A-Za-z0-9_.-]")
_LOGO = re.compile(
    r"<img[^>]*great-expectations-web-assets[^>]*>|https://great-expectations-web-assets[^'\")]*"
)
"""Pictures that a browser would fetch from the makers, with the time of the page."""
_NO_PAGE = re.compile(r'(?:\.\./)+expectations/[^"]*')
_STYLE = (
    "body{font:14px sans-serif;margin:2em}td,th{padding:2px 8px;text-align:left;"
    "border-bottom:1px solid #ddd;vertical-align:top}.holds{background:#d4edda}"
    ".warns{background:#fff3cd}.fails{background:#f8d7da}"
)


def docs_index(migration: Migration) -> Path | None:
    """Return the first page of the Data Docs, None where nothing was judged yet."""
    path = migration.home / _FOLDER / "index.html"
    return path if path.is_file() else None


def verdicts(migration: Migration) -> list[SuiteResult]:
    """Return the newest verdict of each suite, as far as it was judged on this machine."""
    found = []
    for path in sorted((migration.home / _FOLDER / "verdicts").glob("*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            found.append(SuiteResult(**{**told, "failed": tuple(told["failed"])}))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half written, or by another version: as if it were not there
    return found


def publish(
    migration: Migration, result: SuiteResult, outcome: Any, *, show_values: bool
) -> SuiteResult:
    """Write the page, the verdict and the index; return the result with its page.

    ``outcome`` is Great Expectations' own result, None where nothing was judged.

    Raises:
        PermissionDeniedError: The folder cannot be written.
    """
    home = migration.home / _FOLDER
    name = _slug(result)
    # Great Expectations' pages find the index four folders above them.
    page = home / "validations" / result.side / name / "last" / "result.html"
    text = None if outcome is None else _page(outcome, show_values=show_values)
    result = replace(result, page="" if text is None else str(page))
    try:
        if text is None:
            page.unlink(missing_ok=True)
        else:
            _write(page, text)
        verdict = json.dumps(asdict(result), indent=1, ensure_ascii=False, default=str)
        _write(home / "verdicts" / f"{result.side}-{name}.json", verdict)
        _write(home / "index.html", _index(migration, verdicts(migration), home))
    except OSError as error:
        msg = f"the Data Docs cannot be written to {home}: {error.strerror}"
        raise PermissionDeniedError(
            msg, hint="Make the folder writable, then run again."
        ) from error
    return result


def _slug(result: SuiteResult) -> str:
    digest = sha256(f"{result.table}\n{result.file}".encode()).hexdigest()[:6]
    return f"{_FOREIGN.sub('_', result.table)}-{digest}"


def _write(path: Path, text: str) -> None:
    """Put a file in the place of the old one at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _page(outcome: Any, *, show_values: bool) -> str | None:
    """Return Great Expectations' page of a result; None if it cannot render it."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    for result in outcome.results:
        figures, reason = shown(result, show_values=show_values)
        result.success = holds(result)
        result.result = figures
        result.exception_info = {
            "raised_exception": bool(reason),
            "exception_message": reason,
            "exception_traceback": "",
        }
    outcome.meta = {k: v for k, v in outcome.meta.items() if k == "great_expectations_version"}
    try:
        view: Any = DefaultJinjaPageView()  # it has no types
        document = ValidationResultsPageRenderer(run_info_at_end=True).render(outcome)
        text = str(view.render(document))
    except Exception:  # noqa: BLE001 (a page that cannot be rendered must not change a verdict)
        return None
    return _NO_PAGE.sub("../../../../index.html", _LOGO.sub("", text))


def _index(migration: Migration, found: Sequence[SuiteResult], home: Path) -> str:
    rows = "".join(
        f'<tr class="{_word(r)}"><td>{"source" if r.side == "before" else "target"}</td>'
        f"<td>{escape(r.table)}</td><td>{_link(r, home)}</td><td>{_word(r)}</td>"
        f"<td>{escape(r.message)}</td><td>{escape(r.judged_at)}</td></tr>\n"
        for r in found
    )
    title = f"{escape(migration.name)}: Great Expectations"
    return (
        f'<!doctype html><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>\n'
        f"<h1>{title}</h1>\n<table><tr><th>judged on</th><th>table</th><th>suite</th><th></th>"
        f"<th>found</th><th>at</th></tr>\n{rows}</table>\n"
    )


def _word(result: SuiteResult) -> str:
    if result.passed:
        return "holds"
    return "fails" if result.decisive else "warns"


def _link(result: SuiteResult, home: Path) -> str:
    name = escape(result.file)
    if not result.page:
        return name
    return f'<a href="{escape(os.path.relpath(result.page, home))}">{name}</a>'
