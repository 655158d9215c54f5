"""A load from files that is killed goes on behind its last row; the command line takes files."""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datamig_pipelines_tests.cli.conftest import Cli, cli  # noqa: F401 (a fixture)
from datamig_pipelines_tests.dialects.files.conftest import opened
from datamig_pipelines_tests.scenarios.journey import Journey, gaps, lost

ROWS = 4_000
BATCH = 50


def csv_files(folder: Path) -> str:
    """Write a table in two parts; half of its rows stand there twice."""
    (folder / "t").mkdir()
    for part in (1, 2):
        lines = (f'{i // 2},"a\n{i // 2}"\n' for i in range(ROWS // 2))
        (folder / "t" / f"{part}.csv").write_text("id,n\n" + "".join(lines))
    return f"csv:///{folder}"


def parquet_files(folder: Path) -> str:
    """Write the same in Parquet, in small row groups."""
    (folder / "t").mkdir()
    ids = [i // 2 for i in range(ROWS // 2)]
    table = pa.table({"id": ids, "n": [f"a\n{i}" for i in ids]})
    for part in (1, 2):
        pq.write_table(table, folder / "t" / f"{part}.parquet", row_group_size=300)
    return f"parquet:///{folder}"


@pytest.mark.parametrize("files", [csv_files, parquet_files])
def test_killed_load_from_files_goes_on_behind_its_last_row(
    folder: Path, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files
) -> None:
    """Killed three times, no row is missing or twice, and no committed batch is read again."""
    for side in ("SOURCE", "TARGET"):
        monkeypatch.setenv(f"SCENARIO_{side}_URL", "")
    journey = Journey(tmp_path, files(folder), pg_url, {"batch_size": BATCH})

    struck, before = 0, {}
    for count in (2, 20, 25):
        process = journey.start()
        struck += process.wait_for("Progress", count) and process.kill()
        after = journey.batches()
        assert (gaps(after), lost(before, after, set())) == ([], [])
        assert before == {} or len(after) > len(before)
        before = after
    journey.start().finish()

    assert struck == 3
    assert set(journey.verdicts()) == {"equal"}
    with opened(pg_url) as session:
        found = Counter(session.query("SELECT id, n FROM t"))
    assert found == {(i, f"a\n{i}"): 4 for i in range(ROWS // 4)}


def test_copy_takes_urls_of_files(folder: Path, duckdb_url: str, cli: Cli) -> None:  # noqa: F811
    """`datamig copy` from Parquet into a database, and from there into Parquet."""
    there, back = parquet_files(folder), f"parquet:///{folder.parent / 'back'}"

    first = cli("copy", there, duckdb_url, "--json")
    second = cli("copy", duckdb_url, back, "--json")

    assert (first.code, second.code) == (0, 0), second.err
    verdicts = {p["verdict"] for p in json.loads(second.out)["proofs"]}
    assert verdicts == {"equal"}
    assert (folder.parent / "back" / "t" / "part-000001.parquet").exists()
