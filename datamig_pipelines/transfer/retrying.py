"""Says how long to wait for a connection to come back, and when to give it up."""

import random
from dataclasses import dataclass

FIRST_WAIT_S = 1.0
_JITTER = 0.25


@dataclass
class Patience:
    """How often in a row something may fail before it is given up.

    Waits double from `FIRST_WAIT_S`, some jitter on top: five of them last half a minute or more.
    """

    most: int
    tries: int = 0

    def renew(self) -> None:
        """Begin to count anew: something went forward."""
        self.tries = 0

    def wait_s(self, error: Exception) -> float:
        """Return how long to wait after one more failure; raise it where it was the last."""
        if self.tries >= self.most:
            raise error
        self.tries += 1
        jitter = 1 + random.random() * _JITTER  # noqa: S311 (no secret)
        return FIRST_WAIT_S * 2.0 ** (self.tries - 1) * jitter
