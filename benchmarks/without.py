"""Takes parts of the load out, in this process only, to see what they cost."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from datamig_pipelines.ledger import Ledger
from datamig_pipelines.transfer import batches, table_load


def take_out(parts: Iterable[str]) -> None:
    """Take out ``ledger`` (batch entries), ``thread`` (reading ahead) or ``sizes`` (of cells).

    Raises:
        KeyError: There is no such part.
        AttributeError: The load is not built like that any more.
    """
    for part in parts:
        _PARTS[part]()


def _ledger() -> None:
    _replace(Ledger, "add_batch", lambda *_: None)


def _thread() -> None:
    def pass_on(source: Iterator[Any], stopped: Callable[[], bool]) -> Iterator[Any]:
        for batch in source:
            if stopped():
                return
            yield batch

    _replace(table_load, "ahead", pass_on)


def _sizes() -> None:
    _replace(batches, "_cells_size", lambda _: 0)


_PARTS: dict[str, Callable[[], None]] = {"ledger": _ledger, "thread": _thread, "sizes": _sizes}


def _replace(owner: Any, name: str, new: object) -> None:
    getattr(owner, name)  # it must be there, or nothing would be taken out
    setattr(owner, name, new)
