"""Tells errors: what happened, the next move, and the exit code. Passwords are never shown."""

import os
import re
import tempfile
import traceback

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from datamig_pipelines.cli.exits import WRONG_CALL
from datamig_pipelines.cli.output import document, remark
from datamig_pipelines.errors import DatamigError, without_secrets

_URL = re.compile(r"[a-z][a-z0-9+]*://\S+", re.IGNORECASE)
_QUERY = re.compile(r"(?i)([?&;\s](?:password|passwd|pwd|sslpassword)=)[^&;\s]+")
_SHORTEST = 4  # a shorter password is a word like any other; its URL is still hidden


def hidden(text: str) -> str:
    """Return a text without the passwords in its URLs and without those of the environment."""
    text = _QUERY.sub(r"\1***", without_secrets(text))
    for secret in _secrets():
        text = text.replace(secret, "***")
    return text


def _secrets() -> set[str]:
    found: set[str] = set()
    for value in os.environ.values():
        for match in _URL.findall(value):
            try:
                url = make_url(match)
            except (ArgumentError, ValueError):
                continue
            written = match.partition("://")[2].rpartition("@")[0].partition(":")[2]
            found |= {str(url.password or ""), written}
    return {secret for secret in found if len(secret) >= _SHORTEST}


def as_dict(error: DatamigError) -> dict[str, str]:
    """Return an error for a JSON document."""
    return {
        "code": error.code,
        "name": type(error).__name__,
        "where": hidden(error.where),
        "message": hidden(error.message),
        "hint": hidden(error.hint),
    }


def print_error(error: DatamigError) -> None:
    """Print an error on stderr."""
    remark(f"error {hidden(str(error))}")
    for note in getattr(error, "__notes__", ()):
        remark(f"  {hidden(note)}")
    remark(f"  more: datamig explain {error.code}")


def tell_error(error: DatamigError, *, as_json: bool) -> int:
    """Print an error and return its exit code."""
    print_error(error)
    if as_json:
        document({"error": as_dict(error), "exit_code": error.exit_code})
    return error.exit_code


def refuse(error: click.ClickException, *, as_json: bool) -> int:
    """Print what is wrong with the command line."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "datamig"
    remark(f"error: {hidden(error.format_message())}")
    remark(f"  hint: `{command} --help` lists what can be written.")
    if as_json:
        told = {"message": hidden(error.format_message()), "hint": f"{command} --help"}
        document({"error": told, "exit_code": WRONG_CALL})
    return WRONG_CALL


def tell_bug(error: Exception, *, as_json: bool) -> int:
    """Print one line about an exception that nobody foresaw; its traceback goes to a file."""
    handle, path = tempfile.mkstemp(prefix="datamig-bug-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(hidden("".join(traceback.format_exception(error))))
    told = hidden(f"{type(error).__name__}: {error}".splitlines()[0])
    remark(f"error: this is a bug: {told}")
    remark(f"  hint: report it with {path} (the traceback, without passwords).")
    if as_json:
        document({"error": {"message": told, "hint": path}, "exit_code": 1})
    return 1
