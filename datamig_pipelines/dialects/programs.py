"""Runs an engine's own client programs; what goes in and comes out passes in blocks."""

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

BLOCK_BYTES: Final = 1024 * 1024
_SAID_BYTES: Final = 20_000

Failed = Callable[[int, str], Exception]
"""Says what an exit code other than 0, and the end of stderr, mean."""


@contextmanager
def program(
    argv: Sequence[str],
    failed: Failed,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program to its end; kill it where the block fails. Raises what ``failed`` says."""
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=complaints, env=env)
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
            code = process.wait()
        complaints.seek(0)
        said = complaints.read(_SAID_BYTES).decode(errors="replace").strip()
    if code:
        raise failed(code, said)


def output(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Yield what a program writes to its pipe, until it closes it."""
    assert process.stdout is not None  # noqa: S101 (it was started with a pipe)
    while block := process.stdout.read(BLOCK_BYTES):
        yield block


def feed(process: "subprocess.Popen[bytes]", blocks: Iterable[bytes]) -> None:
    """Write blocks into a program's pipe and close it; stop where the program has ended."""
    assert process.stdin is not None  # noqa: S101 (it was started with a pipe)
    with suppress(BrokenPipeError), process.stdin:  # its code says why
        for block in blocks:
            process.stdin.write(block)
