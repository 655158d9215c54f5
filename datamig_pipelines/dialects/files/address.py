"""What a URL of files says: which format, which folder or bucket, which options.

``csv:///exports/*.csv`` · ``parquet:////data/shop`` · ``parquet+s3://bucket/prefix``
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sqlalchemy.engine import URL

from datamig_pipelines.errors import FilesUrlError

WILD = frozenset("*?[")
ENDINGS = {
    "csv": (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst"),
    "parquet": (".parquet", ".pq"),
}
_ENCODINGS = {
    **dict.fromkeys(("utf-8", "utf8", "utf-8-sig"), "utf-8"),
    **dict.fromkeys(("latin-1", "latin1", "iso-8859-1"), "latin-1"),
    **dict.fromkeys(("utf-16", "utf16"), "utf-16"),
}
_WORDS = {"tab": "\t", "\\t": "\t", "none": ""}
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_MOST_LINE_BYTES = 2**28


@dataclass(frozen=True)
class CsvOptions:
    """How CSV files are written; the defaults are RFC 4180 in UTF-8, empty and unquoted is NULL.

    ``delimiter`` '' means a comma, or a tab in files that end in ``.tsv``. ``types`` is ``sniffed``
    (proven on every value) or ``text``. ``line_bytes`` is the longest line, quoted breaks included.
    """

    delimiter: str = ""
    header: bool = True
    quote: str = '"'
    escape: str = '"'
    null: str = ""
    encoding: str = "utf-8"
    types: str = "sniffed"
    line_bytes: int = 8 * 2**20


@dataclass(frozen=True)
class Address:
    """Where the files are: below the local ``path``, or below the prefix ``path`` of ``bucket``."""

    format: str
    path: str
    bucket: str = ""
    csv: CsvOptions = field(default_factory=CsvOptions)

    @property
    def wild(self) -> bool:
        """Say whether the path has wildcards."""
        return bool(WILD & set(self.path))

    @property
    def root(self) -> str:
        """Return the folder in front of the first wildcard; the path itself if it has none."""
        if not self.wild:
            return self.path
        kept: list[str] = []
        for part in PurePosixPath(self.path).parts:
            if WILD & set(part):
                break
            kept.append(part)
        return str(PurePosixPath(*kept)) if kept else ""

    def named(self, relative: str) -> str:
        """Return the full name of a file, as DuckDB opens it and errors call it."""
        if not self.bucket:
            return str(Path(self.root) / relative) if relative else self.root
        return f"s3://{self.bucket}/" + "/".join(p for p in (self.root, relative) if p)

    def __str__(self) -> str:
        """Return where it is, as a person would write it."""
        return f"s3://{self.bucket}/{self.path}" if self.bucket else self.path


def parse(url: URL) -> Address:
    """Read a URL.

    Raises:
        FilesUrlError: It names no place, an unknown store or option, or carries a password.
    """
    format_, _, store = url.drivername.partition("+")
    options = _options(format_, url)
    if store not in ("", "s3"):
        msg = f"{format_} files in {store!r} cannot be read yet"
        raise FilesUrlError(msg, hint=f"Write {format_}+s3://bucket/prefix, or a folder.")
    if url.username or url.password:
        msg = "a URL of files carries no user and no password"
        hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment."
        raise FilesUrlError(msg, hint=hint)
    if store:
        if not url.host:
            msg = "the URL names no bucket"
            raise FilesUrlError(msg, hint=f"Write {format_}+s3://bucket/prefix.")
        return Address(format_, (url.database or "").strip("/"), url.host, options)
    if url.host or not url.database:
        msg = "the URL names no folder" if not url.host else f"{url.host} is no folder"
        hint = f"Write {format_}:////absolute/folder, or {format_}:///folder beside the YAML file."
        raise FilesUrlError(msg, hint=hint)
    return Address(format_, url.database, "", options)


def _options(format_: str, url: URL) -> CsvOptions:
    known = CsvOptions.__dataclass_fields__ if format_ == "csv" else {}
    values: dict[str, object] = {}
    for name, text in url.query.items():
        if name not in known or not isinstance(text, str):
            msg = f"{format_} files have no option {name!r}, or it is written twice"
            hint = f"Known are {', '.join(known)}." if known else "Parquet files have no options."
            raise FilesUrlError(msg, hint=hint)
        values[name] = _value(name, text)
    return CsvOptions(**values)  # type: ignore[arg-type]


def _value(name: str, text: str) -> object:
    if name == "header":
        return _one_of(name, text, _FLAGS)
    if name == "encoding":
        return _one_of(name, text, _ENCODINGS)
    if name == "types":
        return _one_of(name, text, {"sniffed": "sniffed", "text": "text"})
    if name == "line_bytes":
        if not text.isdigit() or not 0 < int(text) <= _MOST_LINE_BYTES:
            msg = f"line_bytes={text} is no number of bytes"
            raise FilesUrlError(msg, hint=f"Write a number up to {_MOST_LINE_BYTES}.")
        return int(text)
    if name == "null":
        return text
    word = _WORDS.get(text.lower(), text)
    if len(word) > 1 or (not word and name == "delimiter"):
        msg = f"{name}={text!r} is not one character"
        raise FilesUrlError(msg, hint="Write it as in a URL: %3B is a semicolon, tab a tab.")
    return word


def _one_of(name: str, text: str, known: Mapping[str, object]) -> object:
    if text.lower() not in known:
        msg = f"{name}={text!r} is unknown"
        raise FilesUrlError(msg, hint=f"Write one of {', '.join(known)}.")
    return known[text.lower()]
