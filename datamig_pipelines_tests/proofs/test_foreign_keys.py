"""References that point nowhere."""

import pytest

from datamig_pipelines.proofs import PROOFS

TABLES = """CREATE TABLE "a p" (x INTEGER, y TEXT, PRIMARY KEY (x, y));
CREATE TABLE t (id INTEGER PRIMARY KEY, "p x" INTEGER, y TEXT,
  FOREIGN KEY ("p x", y) REFERENCES "a p" (x, y));
INSERT INTO "a p" VALUES (1, 'a'); INSERT INTO t VALUES (1, 1, 'a'), (2, NULL, 'b'), (3, 9, NULL)"""


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ("", ("equal", "0 orphans")),
        ("INSERT INTO t VALUES (4, 1, 'b')", ("different", "1 orphans")),
        ('DELETE FROM "a p"', ("different", "1 orphans")),
    ],
)
def test_foreign_keys_counts_orphans(prepare, here, expected):
    """A reference with a NULL in it points nowhere on purpose; any other must be answered."""
    result = PROOFS["foreign_keys"].prove(prepare(TABLES, here))

    assert (result.verdict, result.target) == expected
