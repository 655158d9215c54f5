"""A peer: pandas, read_sql in chunks and to_sql, into a table that pandas makes.

Order on standard input: ``source``, ``target``, ``table``, ``servers``.
"""

import json
import sys

from benchmarks.meter import Clock

_CHUNK = 10_000


def main() -> None:
    """Copy one table and print the stages."""
    order = json.load(sys.stdin)
    clock = Clock(order["servers"], of_children=False)
    import pandas as pd
    from sqlalchemy import create_engine

    reader, writer = (create_engine(_driven(order[end])) for end in ("source", "target"))
    clock.lap("imports")
    table = order["table"]
    with (
        reader.connect().execution_options(stream_results=True) as reading,
        writer.begin() as writing,
    ):
        for chunk in pd.read_sql(f"SELECT * FROM {table}", reading, chunksize=_CHUNK):
            chunk.to_sql(table, writing, if_exists="append", index=False)
    clock.lap("copy")
    print(json.dumps({"idle_mib": 0, "laps": clock.as_json(), "profile": []}))


def _driven(url: str) -> str:
    drivers = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
    scheme, _, rest = url.partition("://")
    return f"{drivers.get(scheme, scheme)}://{rest}"


if __name__ == "__main__":
    main()
