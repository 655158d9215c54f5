"""What an error of the file system means for a backup."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from datamig_pipelines.errors import DiskFullError, PermissionDeniedError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise what the file system says about a folder as DiskFullError or PermissionDeniedError."""
    try:
        yield
    except OSError as error:
        said = error.strerror or str(error)
        if error.errno in _NO_ROOM:
            msg = f"the backup folder {where} is full: {said}"
            raise DiskFullError(
                msg, hint="Make room there, or name another in backup.to."
            ) from error
        msg = f"the backup folder {where} cannot be written: {said}"
        hint = "Name another folder in backup.to, or mend its permissions."
        raise PermissionDeniedError(msg, hint=hint) from error
