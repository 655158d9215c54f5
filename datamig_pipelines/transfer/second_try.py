"""Tries rejected rows again, one by one: a row, its reject and the accounting commit together."""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import Projection, Row
from datamig_pipelines.errors import LedgerError, RefusedError
from datamig_pipelines.ledger import Ledger, Reject
from datamig_pipelines.session import Session
from datamig_pipelines.transfer.encoders import COPY_ESCAPES, encoder
from datamig_pipelines.transfer.events import Replayed
from datamig_pipelines.transfer.route import Route
from datamig_pipelines.transfer.rows import lens
from datamig_pipelines.transfer.table_load import KEPT_TEXT, clean

_ALTERED: Final = ("\\x", "\\u")  # how the ledger keeps what no text can hold


class TableReplay:
    """The rejects of one table: read again from the source by their key, written to the target.

    Without a key the ledger's values are written, where it kept them whole.
    """

    def __init__(self, route: Route, run_id: str, source: Session, target: Session) -> None:
        """Keep the two sessions; nothing is read or written yet."""
        self.route = route
        self.run_id = run_id
        self.source = source
        self.target = target
        self._ledger = Ledger(target)
        self._lens = lens(route)

    def run(self, rejects: Sequence[Reject]) -> Iterator[Replayed]:
        """Try each reject and yield how it went. What was loaded is committed when it is told."""
        for reject in rejects:
            try:
                row = self._row(reject)
            except _Lost as lost:
                yield Replayed(reject.table, reject.row_key, loaded=False, reason=str(lost))
                continue
            reason = self._written(reject, row)
            yield Replayed(reject.table, reject.row_key, loaded=not reason, reason=reason)

    def _written(self, reject: Reject, row: Row) -> str:
        """Write one row and return '', or why the target refuses it (again)."""
        try:
            payload = encoder(self.route)([row])
            with self.target.transaction():
                if self.target.write(self.route.landing(), payload) != 1:
                    msg = f"one row of {reject.table} was sent and did not arrive"
                    hint = "Nothing was kept. Does a trigger or rule of the target drop rows?"
                    raise LedgerError(msg, hint=hint)
                self._ledger.settle_reject(self.run_id, reject)
        except RefusedError as error:
            after = replace(reject, code=error.code, reason=error.message, hint=error.hint)
            if self.route.key:
                after = replace(after, row_values=self._values(row))
            self._ledger.change_reject(self.run_id, reject, after)
            return error.message
        return ""

    # ---- where the row comes from

    def _row(self, reject: Reject) -> Row:
        if self.route.transform:
            raise _Lost(f"it came out of {self.route.transform}: load the table again")
        if not self.route.key:
            return self._kept(reject)
        key = tuple(json.loads(reject.row_key))
        if len(key) != len(self.route.key):
            raise _Lost("the ledger has not its whole key")
        for part, text in zip(self.route.key, key, strict=True):
            if part.type.kind in (Kind.TEXT, Kind.CHAR) and _altered(text):
                raise _Lost("the ledger could not keep its key as it was")
        rows = self.source.stream_lists(self.route.read_row(key))
        found = [row for some in rows for row in some]
        own = [at for at in range(len(found)) if self._key(found, at) == key]
        if len(own) != 1:
            count = "no row" if not own else f"{len(own)} rows"
            raise _Lost(f"the source has {count} with this key now")
        return found[own[0]]

    def _key(self, rows: Sequence[Row], at: int) -> tuple[str, ...]:
        return tuple(clean(text) or "" for text in self._lens.key(rows, at))

    def _values(self, row: Row) -> str:
        names = [c.name for c in self.route.columns]
        values = (clean(text) for text in self._lens.values([row], 0))
        return json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False)

    def _kept(self, reject: Reject) -> Row:
        """Return the row that the ledger's values were, as it came off the wire."""
        made = _ROWS.get(self.route.sends)
        if made is None:
            raise _Lost("the table has no key, and its kept values do not tell text from bytes")
        kept = json.loads(reject.row_values)
        values = [kept.get(c.name) for c in self.route.columns]
        pairs = zip(self.route.columns, values, strict=True)
        if broken := [c.name for c, text in pairs if text is not None and not _whole(c, text)]:
            what = ", ".join(broken)
            raise _Lost(f"the table has no key, and the ledger did not keep all of {what}")
        return made(values)


class _Lost(Exception):  # noqa: N818 (a reason, told to the user; the row stays a reject)
    """A row that cannot be had again."""


def _whole(column: Projection, text: str) -> bool:
    """Say whether the ledger kept a value as it was; when in doubt it did not."""
    return len(text) < KEPT_TEXT and (column.type.kind is Kind.BLOB or not _altered(text))


def _altered(text: str) -> bool:
    return len(text) >= KEPT_TEXT or any(mark in text for mark in _ALTERED)


def _binary(values: Sequence[str | None]) -> bytes:
    fields = [None if v is None else bytes.fromhex(v) for v in values]
    parts = [struct.pack("!i", -1) if f is None else struct.pack("!i", len(f)) + f for f in fields]
    return struct.pack("!h", len(fields)) + b"".join(parts)


def _text(values: Sequence[str | None]) -> bytes:
    fields = ("\\N" if v is None else v.translate(COPY_ESCAPES) for v in values)
    return ("\t".join(fields) + "\n").encode()


def _csv(values: Sequence[str | None]) -> bytes:
    fields = ("" if v is None else '"' + v.replace('"', '""') + '"' for v in values)
    return (",".join(fields) + "\n").encode()


_ROWS: Final[dict[Wire, Callable[[Sequence[str | None]], bytes]]] = {
    Wire.COPY_BINARY: _binary,
    Wire.COPY_TEXT: _text,
    Wire.COPY_CSV: _csv,
}
