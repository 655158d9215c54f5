"""Turns an error of this project into a failure of Dagster, once."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from datamig_pipelines.errors import DatamigError


def as_failure(error: DatamigError, *more: DatamigError) -> dg.Failure:
    """Return the failure with code, hint and place; Dagster retries only what may pass.

    What else is in the way is said as well, so that nobody meets one refusal after the other.
    """
    metadata = {"code": error.code, "hint": error.hint}
    if error.where:
        metadata["place"] = error.where
    said = "\n".join(str(e) for e in (error, *more))
    return dg.Failure(said, metadata=metadata, allow_retries=error.retryable)


@contextmanager
def explained() -> Iterator[None]:
    """Raise every `DatamigError` of the block as a `Failure`.

    The driver's own exception stays behind: its words were translated and may hold values.
    """
    try:
        yield
    except DatamigError as error:
        raise as_failure(error) from None
