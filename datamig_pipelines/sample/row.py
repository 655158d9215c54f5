"""What a row of a table is."""

Value = None | int | float | str | bytes
Row = tuple[Value, ...]
