"""The tables by which a DuckDB remembers which files make which table, and what they look like."""

SHAPE = "shape"
FILES = "datamig_file"
OTHERS = "datamig_other"

CREATE = (
    f"CREATE SCHEMA IF NOT EXISTS {SHAPE};"
    f"CREATE TABLE IF NOT EXISTS {FILES} (table_name VARCHAR, number BIGINT, file VARCHAR, "
    "rows_held BIGINT, bytes_held BIGINT, dropped BOOLEAN, PRIMARY KEY (table_name, number));"
    f"CREATE TEMP TABLE {OTHERS} (kind VARCHAR, name VARCHAR)"
)
OPEN = f"CREATE TEMP TABLE {OTHERS} (kind VARCHAR, name VARCHAR)"
ADD_FILE = f"INSERT INTO {FILES} VALUES (?, ?, ?, ?, ?, false)"
ADD_OTHER = f"INSERT INTO {OTHERS} VALUES (?, ?)"
LAST_NUMBER = f"SELECT coalesce(max(number), 0) FROM {FILES} WHERE table_name = ?"
ALL_FILES = f"SELECT table_name, number, file, bytes_held, dropped FROM {FILES} ORDER BY 1, 2"
FORGET_DROPPED = f"DELETE FROM {FILES} WHERE dropped"
SHAPES = (
    f"SELECT view_name FROM duckdb_views() WHERE schema_name = '{SHAPE}' "
    "AND database_name = current_database() ORDER BY 1"
)
COLUMNS = (
    "SELECT table_name, column_name, data_type FROM duckdb_columns() "
    f"WHERE schema_name = '{SHAPE}' AND database_name = current_database() "
    "ORDER BY table_name, column_index"
)
SIZES = (
    f"SELECT table_name, sum(rows_held), sum(bytes_held) FROM {FILES} WHERE NOT dropped GROUP BY 1"
)
EVERYTHING_ELSE = f"SELECT kind, name FROM {OTHERS} ORDER BY 1, 2"


def shape(name: str, columns: str) -> str:
    """Return the view that shows the columns of a table, and no row."""
    return f"CREATE VIEW {quoted_shape(name)} AS SELECT {columns} WHERE false"


def quoted_shape(name: str) -> str:
    """Return the quoted name of a table's shape."""
    return f'{SHAPE}."' + name.replace('"', '""') + '"'


def drop_files(name: str) -> str:
    """Return the statement after which no file of a table counts any more."""
    text = name.replace("'", "''")
    return f"UPDATE {FILES} SET dropped = true WHERE table_name = '{text}'"
