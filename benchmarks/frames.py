"""A peer: pandas, read_sql in chunks and to_sql. Arguments: source URL, target URL, table."""

import sys

import pandas as pd
from sqlalchemy import create_engine

_CHUNK = 10_000


def main() -> None:
    """Copy one table."""
    source, target, table = sys.argv[1:]
    reader, writer = create_engine(_driven(source)), create_engine(_driven(target))
    with reader.connect().execution_options(stream_results=True) as reading, writer.begin() as writing:
        for chunk in pd.read_sql(f"SELECT * FROM {table}", reading, chunksize=_CHUNK):
            chunk.to_sql(table, writing, if_exists="append", index=False)


def _driven(url: str) -> str:
    drivers = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
    scheme, _, rest = url.partition("://")
    return f"{drivers.get(scheme, scheme)}://{rest}"


if __name__ == "__main__":
    main()
