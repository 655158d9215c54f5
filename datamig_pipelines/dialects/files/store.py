"""An object store: what lies there, its bytes, and a file system of it for DuckDB.

Credentials, region and endpoint come from the environment alone (AWS_…); no extension of DuckDB
and no other network client is involved.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from datamig_pipelines.errors import (
    ConnectError,
    ConnectionLostError,
    DriverMissingError,
    EngineError,
    LoginError,
    PermissionDeniedError,
)

_RETRY: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
_WORDS: tuple[tuple[tuple[str, ...], type[EngineError], str, str], ...] = (
    (
        ("NoSuchBucket",),
        ConnectError,
        "there is no such bucket",
        "Check the bucket in the URL, and AWS_REGION and AWS_ENDPOINT_URL.",
    ),
    (
        ("169.254.169.254", "169.254.170.2", "CredentialsNotLoaded", "no credentials"),
        LoginError,
        "the environment has no credentials for the object store",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; AWS_SKIP_SIGNATURE=true if it is public.",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401 "),
        LoginError,
        "the object store does not accept the credentials",
        "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
    ),
    (
        ("AccessDenied", "403 Forbidden", "Unauthenticated", "PermissionDenied"),
        PermissionDeniedError,
        "the object store refuses access",
        "The credentials need the rights to list the bucket and to read its objects.",
    ),
)


def speaks(said: str) -> bool:
    """Say whether an error's words come from an object store."""
    return "S3 error" in said or "Error performing" in said


def translated(said: str, where: str) -> EngineError:
    """Return what an object store's error means; ``where`` names the place."""
    for words, kind, message, hint in _WORDS:
        if any(word in said for word in words):
            return kind(f"{message}: {where}", hint=hint)
    line = next(iter(said.splitlines()), "")[:300]
    if any(word in said for word in ("error sending request", "Connection refused", "dns error")):
        msg = f"the object store does not answer: {where}: {line}"
        return ConnectError(msg, hint="Check AWS_ENDPOINT_URL and the network.")
    msg = f"the object store broke off: {where}: {line}"
    return ConnectionLostError(msg, hint="Run again; it goes on where it stopped.")


def _settings() -> dict[str, Any]:
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {"client_options": {"allow_http": plain}, "retry_config": _RETRY}


def _asked(where: str, ask: Callable[[], Any]) -> Any:
    try:
        from obstore.exceptions import BaseError
    except ImportError as error:
        msg = f"the package for object stores is not installed: {error}"
        raise DriverMissingError(msg, hint="pip install obstore, then run again.") from error
    try:
        return ask()
    except (BaseError, OSError) as error:
        raise translated(f"{type(error).__name__} {error}", where) from error


def listed(bucket: str, prefix: str) -> list[tuple[str, int, str]]:
    """Return (key, bytes, version mark) of all objects below a prefix, or of the one it names."""

    def ask() -> list[tuple[str, int, str]]:
        import obstore
        from obstore.store import S3Store

        store = S3Store(bucket, **_settings())
        found = obstore.list(store, prefix or None).collect()
        if not found and prefix:
            parent = prefix.rpartition("/")[0]
            found = [
                o for o in obstore.list(store, parent or None).collect() if o["path"] == prefix
            ]
        return [(o["path"], o["size"], str(o["e_tag"] or o["last_modified"])) for o in found]

    result: list[tuple[str, int, str]] = _asked(f"s3://{bucket}/{prefix}", ask)
    return result


def head(name: str, size: int) -> bytes:
    """Return the first bytes of ``s3://bucket/key``."""
    bucket, _, key = name.removeprefix("s3://").partition("/")

    def ask() -> bytes:
        import obstore
        from obstore.store import S3Store

        return bytes(obstore.get_range(S3Store(bucket, **_settings()), key, start=0, end=size))

    result: bytes = _asked(name, ask)
    return result


def file_system() -> Any:
    """Return an fsspec file system for ``s3://``."""

    def ask() -> Any:
        from obstore.fsspec import FsspecStore

        return FsspecStore("s3", **_settings())

    return _asked("s3://", ask)
