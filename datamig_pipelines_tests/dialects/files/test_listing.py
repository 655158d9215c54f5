"""Which files make which tables."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.files.address import parse
from datamig_pipelines.dialects.files.listing import Listing, listing
from datamig_pipelines.errors import ConnectError, NameCollisionError


def listed(path: Path | str, format_: str = "csv") -> Listing:
    """Return what lies there."""
    return listing(parse(make_url(f"{format_}:///{path}")))


def made(folder: Path, *names: str) -> None:
    """Make files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("id\n1\n")


def shown(found: Listing, folder: Path) -> dict[str, list[str]]:
    """Return the tables with their files, relative."""
    return {t.name: [str(Path(f.name).relative_to(folder)) for f in t.files] for t in found.tables}


def test_listing_makes_a_table_of_each_file_and_of_each_folder(folder: Path) -> None:
    """A file is a table, a sub-folder is a table in parts, in the order of their names."""
    made(folder, "a.csv", "B.CSV.gz", "t.tsv", "parts/2.csv", "parts/1.csv", "parts/x/0.csv")

    found = listed(folder)

    assert shown(found, folder) == {
        "B": ["B.CSV.gz"],
        "a": ["a.csv"],
        "parts": ["parts/1.csv", "parts/2.csv", "parts/x/0.csv"],
        "t": ["t.tsv"],
    }


def test_listing_tells_of_what_it_leaves_and_skips_what_is_hidden(folder: Path) -> None:
    """Files of another kind are told; names with a dot or an underscore in front are nobody's."""
    made(folder, "a.csv", "readme.txt", "_SUCCESS", ".hidden.csv", "_datamig/x.csv")

    found = listed(folder)

    assert list(shown(found, folder)) == ["a"]
    assert found.others == ("readme.txt",)


def test_listing_of_a_pattern_takes_what_it_matches(folder: Path) -> None:
    """Wildcards choose files; the folder in front of them is where the names begin."""
    made(folder, "2023-a.csv", "2024-a.csv", "2024-b.csv", "orders/2024.csv", "orders/2023.csv")

    assert list(shown(listed(folder / "2024-*.csv"), folder)) == ["2024-a", "2024-b"]
    assert shown(listed(folder / "*" / "2024.csv"), folder) == {"orders": ["orders/2024.csv"]}


def test_listing_of_one_file_is_one_table(folder: Path) -> None:
    """The URL may name a file itself."""
    made(folder, "a.csv", "b.csv")

    assert list(shown(listed(folder / "a.csv"), folder)) == ["a"]


@pytest.mark.parametrize("names", [("a.csv", "a.csv.gz"), ("a.csv", "A.csv"), ("a.csv", "a/1.csv")])
def test_listing_refuses_two_files_of_one_name(folder: Path, names: tuple[str, str]) -> None:
    """Two files that would make one table are refused by name, case aside."""
    made(folder, *names)

    with pytest.raises(NameCollisionError) as refused:
        listed(folder)

    assert all(Path(n).name in refused.value.message for n in names)


def test_listing_of_nothing_is_an_error_that_says_what_is_missing(folder: Path) -> None:
    """No folder, or no file of the format in it: one error each, with the path."""
    made(folder, "a.csv")

    with pytest.raises(ConnectError, match=r"no folder or file .*/nowhere"):
        listed(folder / "nowhere")
    with pytest.raises(ConnectError, match="no parquet file at"):
        listed(folder, "parquet")
    with pytest.raises(ConnectError, match="no csv file at"):
        listed(folder / "z*.csv")
