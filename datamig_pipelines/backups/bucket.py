"""Backups in an object store: S3 and what speaks like it, Google Cloud Storage, Azure."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from typing_extensions import override

from datamig_pipelines.backups.store import BLOCK_BYTES, MANIFEST, Store
from datamig_pipelines.errors import BackupStoreError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PART_BYTES: Final = 8 * 1024 * 1024
_MOST_PARTS: Final = 9_000
"""S3 takes 10,000 parts of a file."""
_ROOM: Final = 4
_AT_ONCE: Final = 3
"""Parts on their way at the same time; with `_PART_BYTES` it bounds the memory of an upload."""
_RETRIES: Final = 4
_RETRY_S: Final = 60
_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound")
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")


class BucketStore(Store):
    """One prefix per backup; credentials come from the environment only."""

    on_disk: ClassVar[bool] = False

    def __init__(self, url: str, work: Path, encryption: str | None) -> None:
        self.url = url.rstrip("/")
        self.work = work
        self._encryption = encryption

    @cached_property
    def _objects(self) -> "ObjectStore":
        from obstore.store import from_url

        config: dict[str, Any] = {}
        if self._encryption:
            config["aws_server_side_encryption"] = self._encryption
        plain = any(os.environ.get(name, "").startswith("http://") for name in _ENDPOINTS)
        options: dict[str, Any] = {
            "config": config,
            "client_options": {"allow_http": plain},
            "retry_config": {
                "max_retries": _RETRIES,
                "retry_timeout": timedelta(seconds=_RETRY_S),
            },
        }
        return from_url(self.url, **options)

    @override
    def check(self, backup: str) -> None:
        import obstore

        with self._translated():
            obstore.put(self._objects, f"{backup}/probe", b"probe")
            obstore.delete(self._objects, f"{backup}/probe")

    @override
    def put(self, backup: str, name: str, path: Path) -> None:
        import obstore

        part = max(_PART_BYTES, path.stat().st_size // _MOST_PARTS + 1)
        with self._translated():
            obstore.put(
                self._objects,
                f"{backup}/{name}",
                path,
                chunk_size=part,
                max_concurrency=_AT_ONCE,
            )
        path.unlink()

    @override
    def put_stream(self, backup: str, name: str, blocks: Iterator[bytes], about_bytes: int) -> None:
        import obstore

        part = max(_PART_BYTES, _ROOM * about_bytes // _MOST_PARTS + 1)
        with self._translated():
            obstore.put(
                self._objects,
                f"{backup}/{name}",
                blocks,
                use_multipart=True,
                chunk_size=part,
                max_concurrency=_AT_ONCE,
            )

    @override
    def write(self, backup: str, name: str, data: bytes) -> None:
        import obstore

        with self._translated():
            obstore.put(self._objects, f"{backup}/{name}", data)

    @override
    def read(self, backup: str, name: str) -> bytes | None:
        import obstore

        with self._translated():
            try:
                return bytes(obstore.get(self._objects, f"{backup}/{name}").bytes())
            except FileNotFoundError as error:
                if _says_no_bucket(error):
                    raise
                return None

    @override
    def blocks(self, backup: str, name: str) -> Iterator[bytes]:
        import obstore

        with self._translated():
            got = obstore.get(self._objects, f"{backup}/{name}")
            for block in got.stream(min_chunk_size=BLOCK_BYTES):
                yield bytes(block)

    @override
    def backups(self) -> list[str]:
        import obstore

        with self._translated():
            found = obstore.list_with_delimiter(self._objects)["common_prefixes"]
        return sorted(prefix.rstrip("/").rpartition("/")[2] for prefix in found)

    @override
    def remove(self, backup: str) -> None:
        import obstore

        with self._translated():
            names = [
                str(one["path"])
                for page in obstore.list(self._objects, prefix=backup)
                for one in page
            ]
            for name in sorted(names, key=lambda n: not n.endswith(f"/{MANIFEST}")):
                obstore.delete(self._objects, name)

    @override
    def place(self, backup: str) -> str:
        return f"{self.url}/{backup}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from obstore.exceptions import (
            BaseError,
            GenericError,
            PermissionDeniedError,
            UnauthenticatedError,
        )

        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            hint = "Check the credentials in the environment (AWS_ACCESS_KEY_ID, …) and the policy."
            raise self._failed("refuses", error, hint) from error
        except GenericError as error:
            hint = (
                "Are the credentials set in the environment (AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY, AWS_REGION), and is AWS_ENDPOINT_URL right?"
            )
            raise self._failed("does not answer as it should", error, hint) from error
        except FileNotFoundError as error:
            if not _says_no_bucket(error):
                raise
            hint = "Make the bucket, or mend backup.to."
            raise self._failed("has no such bucket", error, hint) from error
        except BaseError as error:
            hint = "Read the message; mend backup.to or the environment."
            raise self._failed("refuses", error, hint) from error

    def _failed(self, what: str, error: Exception, hint: str) -> BackupStoreError:
        first = str(error).partition("\n")[0][:400]
        return BackupStoreError(f"the store {self.url} {what}: {first}", hint=hint)


def _says_no_bucket(error: FileNotFoundError) -> bool:
    return any(word in str(error) for word in _NO_BUCKET)
