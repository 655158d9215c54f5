"""Types of CSV columns are those that every single value has."""

from pathlib import Path

import pytest

from datamig_pipelines_tests.dialects.files.conftest import rows, types

UUID = "5f0c5f0c-5f0c-5f0c-5f0c-5f0c5f0c5f0c"
TIMES = "2020-01-01T10:00:00.5+02:00"


def sniffed(folder: Path, *values: str) -> str:
    """Return the type of a column with these values."""
    (folder / "t.csv").write_text("v,w\n" + "".join(f"{v},x\n" for v in values))
    return types(f"csv:///{folder}", "t")["v"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1", "-5", ""), "BIGINT"),
        (("9223372036854775807",), "BIGINT"),
        (("9223372036854775808", "1"), "DECIMAL(19,0)"),
        (("9" * 38,), "DECIMAL(38,0)"),
        (("9" * 39,), "VARCHAR"),
        (("007", "8"), "VARCHAR"),
        (("+1",), "VARCHAR"),
        (("1 ", "2"), "VARCHAR"),
        (("1_000",), "VARCHAR"),
        (("1.5", "22", "-0.125"), "DECIMAL(5,3)"),
        (("1.5", "00.5"), "VARCHAR"),
        (("1e5", "2"), "DOUBLE"),
        (("1e5", "0.12345678901234567890"), "VARCHAR"),
        (("1.0e-300", "0.1234567890123456"), "DOUBLE"),
        (("1e999",), "VARCHAR"),
        (("1e-310",), "VARCHAR"),
        (("0e0", "-0.0e5"), "DOUBLE"),
        (("true", "False"), "BOOLEAN"),
        (("true", "1"), "VARCHAR"),
        (("2020-02-29",), "DATE"),
        (("2019-02-29",), "VARCHAR"),
        (("01/02/2020",), "VARCHAR"),
        (("2020-01-01 10:00:00", "2020-01-01T10:00:00.123456"), "TIMESTAMP"),
        (("2020-01-01 10:00:00.1234567",), "VARCHAR"),
        (("2020-01-01 10:00:00Z", TIMES), "TIMESTAMP WITH TIME ZONE"),
        (("2020-01-01 10:00:00", "2020-01-01 10:00:00Z"), "VARCHAR"),
        (("10:00:00", "23:59:59.5"), "TIME"),
        (("25:00:00",), "VARCHAR"),
        ((UUID,), "UUID"),
        ((UUID.upper(),), "VARCHAR"),
        (("", ""), "VARCHAR"),
        (("NaN", "1.5"), "VARCHAR"),
        (('""', "1"), "VARCHAR"),
    ],
)
def test_sniffing_takes_a_type_only_if_all_values_are_spelled_so(folder, values, expected) -> None:
    """What would come back as another text stays text; numbers get the room that they need."""
    assert sniffed(folder, *values) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [("x", "VARCHAR"), ("1.25", "DECIMAL(7,2)"), ("1e3", "DOUBLE"), ("007", "VARCHAR")],
)
def test_sniffing_looks_at_the_last_row_of_the_file(folder, last, expected) -> None:
    """One value at the end of a long file decides: no sample is trusted."""
    values = [str(i) for i in range(20_000)]

    assert sniffed(folder, *values, last) == expected


def test_sniffing_finds_the_type_of_a_column_that_begins_with_nothing(folder: Path) -> None:
    """Where the head has no value, the rest decides."""
    assert sniffed(folder, *[""] * 5_000, "5") == "BIGINT"
    assert sniffed(folder, *[""] * 5_000, "1.25", "3") == "DECIMAL(3,2)"


def test_sniffing_keeps_every_value(folder: Path) -> None:
    """A typed column reads back as the numbers that stand in the file."""
    sniffed(folder, "1.10", "22.5", "")

    found = [None if v is None else str(v) for v, _ in rows(f"csv:///{folder}", "t")]
    assert found == ["1.10", "22.50", None]
