"""The user's Python function on its way: from rows to a frame, through the function, to cells."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import Cell, Projection, Row
from datamig_pipelines.errors import (
    DatamigError,
    RefusedError,
    TransformError,
    TransformNotFoundError,
)
from datamig_pipelines.transfer.encoders import cells_encoder, unhex
from datamig_pipelines.transfer.isolating import failing_alone
from datamig_pipelines.transfer.route import Route
from datamig_pipelines.transfer.rows import split_csv, split_text

if TYPE_CHECKING:
    import pyarrow as pa

Frame = Any
Function = Callable[[Frame], Frame]

_PROBES = 16
_FRAMES = {"polars": "polars.DataFrame", "pandas": "pandas.DataFrame"}


def find_function(name: str, folder: Path) -> tuple[Function, str]:
    """Return the function ``module.name`` and which frame it wants: ``polars`` or ``pandas``.

    ``folder`` (where the YAML file is) and the working directory are searched as well as the path.
    The frame is chosen by the annotation of the first parameter; polars where there is none.

    Raises:
        TransformNotFoundError: It cannot be imported, is no function of one argument, or its
            annotation is neither a polars nor a pandas DataFrame.
    """
    module_name, _, function_name = name.rpartition(".")
    for path in (str(folder), str(Path.cwd())):
        if path not in sys.path:
            sys.path.append(path)
    try:
        function = getattr(_module(module_name, folder), function_name)
    except Exception as error:
        msg = f"the transform {name} cannot be imported: {type(error).__name__}: {error}"
        hint = f"Put the module beside the YAML file ({folder}) or on PYTHONPATH."
        raise TransformNotFoundError(msg, hint=hint) from error
    if not callable(function):
        msg = f"the transform {name} is no function"
        raise TransformNotFoundError(
            msg, hint="Write `def name(frame: polars.DataFrame) -> polars.DataFrame`."
        )
    return function, _flavour(name, function)


def _module(name: str, folder: Path) -> ModuleType:
    """Import a module; one beside the YAML file is its own, whatever else goes by that name."""
    beside = folder / f"{name}.py"
    if not beside.is_file():
        return importlib.import_module(name)
    known = f"{name}@{folder}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, beside)
        assert spec is not None  # noqa: S101 (a .py file has a loader; narrows the type)
        assert spec.loader is not None  # noqa: S101 (as above)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[known] = module
    return sys.modules[known]


def _flavour(name: str, function: Function) -> str:
    hint = "Write `def name(frame: polars.DataFrame) -> polars.DataFrame` (or pandas)."
    needed = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    if len(needed) != 1:
        msg = f"the transform {name} needs {len(needed)} arguments, it gets one frame"
        raise TransformNotFoundError(msg, hint=hint)
    try:
        wanted = get_type_hints(function).get(needed[0].name)
    except NameError as error:
        msg = f"the annotation of {name} cannot be resolved: {error}"
        raise TransformNotFoundError(msg, hint=hint) from error
    if wanted is None:
        return "polars"
    package = getattr(wanted, "__module__", "").partition(".")[0]
    if package in _FRAMES and getattr(wanted, "__name__", "") == "DataFrame":
        return package
    msg = f"the transform {name} is annotated with {wanted}"
    raise TransformNotFoundError(msg, hint=hint)


class _Unfit(Exception):  # noqa: N818 (a signal, not an error of its own)
    """The function returned something that does not fit the table, whatever the rows."""


class Transform:
    """Runs one table's function over batches.

    The function sees the target's column names (after renames and expressions) and native types:
    integers, decimals, floats, booleans, dates, timestamps, binary, else text; it returns a frame
    that has every column of the target, in any order, and at most as many rows.
    """

    def __init__(self, route: Route, folder: Path) -> None:
        """Find the function. Raises TransformNotFoundError."""
        self.route = route
        self.function, self.flavour = find_function(route.transform, folder)
        self._encode = cells_encoder(route.columns, route.takes)

    def cells(self, rows: Sequence[Row]) -> list[tuple[Cell, ...]]:
        """Return what the function makes of rows, as cells in the order of the route's columns.

        Raises:
            TransformError: The function raised or returned something that does not fit.
            RefusedError: A row holds a value that its column's type does not know.
        """
        try:
            return self._apply(rows)
        except Exception as error:
            reason = self._reason(error)
            if reason is error:
                raise
            raise reason from error

    def sorted_out(
        self, rows: Sequence[Row], too_many: Callable[[int], bool]
    ) -> tuple[list[tuple[Cell, ...]], dict[int, DatamigError]]:
        """Return what the function makes of the rows that it does not raise for, and the others.

        Those stand by their place, with the reason. ``too_many`` says whether so many are over the
        limit.

        Raises:
            TransformError: The function raises for too many rows, for every row that was tried, or
                for no single row but for all together; or it returned what does not fit.
        """
        bad: dict[int, DatamigError] = {}
        try:
            return self._apply(rows), bad
        except _Unfit as error:
            raise self._reason(error) from error
        except Exception as error:  # noqa: BLE001 (whatever a user's function raises)
            first = self._reason(error)
        self._probe(rows)

        def failure(places: Sequence[int]) -> DatamigError | None:
            self._check(bad, too_many)
            return self._failure(rows, places)

        failing_alone(len(rows), failure, bad)
        self._check(bad, too_many)
        if not bad:
            raise self._raised(first, " for the batch as a whole (no single row does it)")
        return self.cells([row for i, row in enumerate(rows) if i not in bad]), bad

    def _failure(self, rows: Sequence[Row], places: Sequence[int]) -> DatamigError | None:
        """Return why the function takes some rows not; raise what has nothing to do with rows."""
        try:
            self._apply([rows[i] for i in places])
        except _Unfit as error:
            raise self._reason(error) from error
        except Exception as error:  # noqa: BLE001 (whatever a user's function raises)
            return self._reason(error)
        return None

    def _check(self, bad: dict[int, DatamigError], too_many: Callable[[int], bool]) -> None:
        if bad and too_many(len(bad)):
            place, error = min(bad.items())
            raise self._raised(
                error, f" for {len(bad)} rows, first in row {place + 1} of the batch"
            )

    def _probe(self, rows: Sequence[Row]) -> None:
        """Try some rows one by one; raise TransformError where the function takes none of them."""
        step = len(rows) // _PROBES
        if step < 2:
            return
        error: DatamigError | None = None
        for place in range(0, step * _PROBES, step):
            error = self._failure(rows, [place])
            if error is None:
                return
        if error is not None:
            raise self._raised(error, f" for each of {_PROBES} rows tried by themselves")

    def _reason(self, error: Exception) -> DatamigError:
        """Return what an exception means for the row that raised it."""
        if isinstance(error, DatamigError):
            return error
        cause = error.__cause__ if isinstance(error, _Unfit) and error.__cause__ else error
        return self._raised(f"{type(cause).__name__}: {cause}", "")

    def _raised(self, error: DatamigError | str, where: str) -> TransformError:
        head = f"{self.route.transform} failed"
        said = error if isinstance(error, str) else error.message.removeprefix(f"{head}: ")
        hint = "Mend the function and run again; done batches are kept."
        return TransformError(f"{head}{where}: {said}", hint=hint)

    def encode(self, cells: Sequence[Row]) -> Any:
        """Return cells as the target takes them."""
        return self._encode(cells)

    def _apply(self, rows: Sequence[Row]) -> list[tuple[Cell, ...]]:
        table = _arrow(self.route, rows)
        frame = self.function(_as_frame(table, self.flavour))
        try:
            return self._fitted(_as_arrow(frame), len(rows))
        except (ValueError, TypeError) as error:
            raise _Unfit from error

    def _fitted(self, result: "pa.Table", most: int) -> list[tuple[Cell, ...]]:
        names = [c.name for c in self.route.columns]
        missing = [n for n in names if n not in result.column_names]
        extra = [n for n in result.column_names if n not in names]
        if missing or extra:
            msg = f"the frame lacks {missing or 'nothing'} and has {extra or 'nothing'} too much"
            raise ValueError(msg)
        if result.num_rows > most:
            msg = f"the frame has {result.num_rows} rows, it came with {most}"
            raise ValueError(msg)
        return list(
            zip(*[_as_cells(result.column(c.name), c) for c in self.route.columns], strict=True)
        )


def _arrow(route: Route, rows: Sequence[Row]) -> "pa.Table":
    import pyarrow as pa

    width = len(route.columns)
    if route.sends is Wire.CELLS:
        split: Callable[[Row], Sequence[Cell]] = lambda row: row[:width]  # noqa: E731
    else:
        split = split_text if route.sends is Wire.COPY_TEXT else split_csv  # type: ignore[assignment]
    columns = list(zip(*[split(row) for row in rows], strict=True)) or [()] * width
    arrays = [_typed(cells, c) for cells, c in zip(columns, route.columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=[c.name for c in route.columns])


def frame_type(type_: Type) -> "pa.DataType":
    """Return the Arrow type that a function sees for a logical type."""
    import pyarrow as pa

    simple = {
        Kind.YEAR: pa.int64(),
        Kind.FLOAT: pa.float64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.BLOB: pa.binary(),
        Kind.DATE: pa.date32(),
        Kind.TIMESTAMP: pa.timestamp("us"),
        Kind.TIMESTAMPTZ: pa.timestamp("us", tz="UTC"),
    }
    if type_.kind is Kind.INTEGER:
        return pa.uint64() if type_.unsigned and type_.bits == 64 else pa.int64()
    if type_.kind is Kind.DECIMAL and type_.scale is not None and (type_.precision or 0) <= 38:
        return pa.decimal128(38, max(type_.scale, 0))
    return simple.get(type_.kind, pa.string())


def _typed(cells: Sequence[Cell], column: Projection) -> "pa.Array":
    import pyarrow as pa

    wanted = frame_type(column.type)
    if column.type.kind is Kind.BLOB:
        raw = [unhex(c) if isinstance(c, str) else c for c in cells]
        return pa.array(raw, type=wanted)
    texts = pa.array([None if c is None else _text(c) for c in cells], type=pa.string())
    try:
        return texts if wanted == pa.string() else texts.cast(wanted)
    except pa.ArrowInvalid as error:
        msg = f"column {column.name} holds a value that is no {column.type.kind.value}: {error}"
        raise RefusedError(
            msg, hint="Mend the value, or give the column a cast to text."
        ) from error


def _text(cell: Cell) -> str:
    if isinstance(cell, bytes):
        return cell.decode("utf-8")
    return repr(cell) if isinstance(cell, float) else str(cell)


def _as_frame(table: "pa.Table", flavour: str) -> Frame:
    if flavour == "pandas":
        import pandas as pd

        return table.to_pandas(types_mapper=pd.ArrowDtype)
    import polars as pl

    return pl.from_arrow(table)


def _as_arrow(frame: Frame) -> "pa.Table":
    import pyarrow as pa

    package = type(frame).__module__.partition(".")[0]
    if type(frame).__name__ != "DataFrame" or package not in _FRAMES:
        msg = f"it returned a {type(frame).__name__}, not a polars or pandas DataFrame"
        raise TypeError(msg)
    if package == "polars":
        return frame.to_arrow()
    return pa.Table.from_pandas(frame, preserve_index=False)


def _as_cells(array: Any, column: Projection) -> list[Cell]:
    import pyarrow as pa
    import pyarrow.compute as pc

    array = array.combine_chunks() if hasattr(array, "combine_chunks") else array
    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        whole = pa.types.is_floating(kind) and column.into.kind in (Kind.INTEGER, Kind.YEAR)
        # pandas makes floats of integers with gaps; a whole number is still that number.
        return [
            int(c) if whole and c is not None and c.is_integer() else c for c in array.to_pylist()
        ]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return list(array.to_pylist())
    if pa.types.is_boolean(kind):
        return [None if b is None else "true" if b else "false" for b in array.to_pylist()]
    if pa.types.is_timestamp(kind):
        # An instant is written in UTC, whatever zone the function gave it.
        moments = array.cast(pa.timestamp("us", tz="UTC" if kind.tz else None))
        texts = pc.strftime(moments, "%Y-%m-%d %H:%M:%S").to_pylist()
        zone = "+00" if kind.tz else ""
        return [None if t is None else t.rstrip("0").rstrip(".") + zone for t in texts]
    if pa.types.is_decimal(kind):
        return [None if d is None else f"{d:f}" for d in array.to_pylist()]
    return list(array.cast(pa.string()).to_pylist())
