"""What every error of this project has."""

import re
from typing import ClassVar

_IN_URL = re.compile(r"(://[^:/@\s]*:)[^/\s]*@")
_NAMED = re.compile(r"""((?:password|passwd|pwd)['"]?\s*[=:]\s*['"]?)[^\s&;,'")]+""", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Return ``text`` with every password in a URL or behind ``password=`` replaced by ``***``."""
    return _NAMED.sub(r"\1***", _IN_URL.sub(r"\1***@", text))


class DatamigError(Exception):
    """Something this project can explain: a code, a message, a place and a next move."""

    code: ClassVar[str] = "DM000"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str, where: str = "") -> None:
        """Keep the message without secrets, the next move and the place (may come later)."""
        super().__init__(without_secrets(message))
        self.message = without_secrets(message)
        self.hint = without_secrets(hint)
        self.where = where

    def at(self, where: str) -> "DatamigError":
        """Return the same error, with its place filled in if it had none."""
        if not self.where:
            self.where = where
        return self

    def __str__(self) -> str:
        """Return ``DM310 at load/orders: message`` and the hint on a second line."""
        place = f" at {self.where}" if self.where else ""
        return f"{self.code}{place}: {self.message}\n  hint: {self.hint}"
