"""Words of SQLite's SQL, with their places: enough to find clauses, not to understand them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<skip> \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<string> [xX]?'(?:[^']|'')*' )
    | (?P<name> "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<number> 0[xX][0-9a-fA-F]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<mark> . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word, quoted name, string, number or mark; ``depth`` counts open parentheses."""

    kind: str
    text: str
    start: int
    end: int
    depth: int

    def is_word(self, *words: str) -> bool:
        """Say whether it is one of these unquoted words (given in upper case)."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def name(self) -> str:
        """The identifier that it stands for, without its quotes."""
        first = self.text[:1]
        if self.kind == "string" or (self.kind == "name" and first in {'"', "`"}):
            return self.text[1:-1].replace(first * 2, first)
        return self.text[1:-1] if self.kind == "name" else self.text


def tokenize(sql: str) -> list[Token]:
    """Return the tokens of a statement without blanks and comments.

    A parenthesis has the depth of what is outside of it.
    """
    return list(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    depth = 0
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "mark", match.group()
        if kind == "skip":
            continue
        if text == ")":
            depth -= 1
        yield Token(kind, text, match.start(), match.end(), depth)
        if text == "(":
            depth += 1


def closing(tokens: Sequence[Token], opening: int) -> int:
    """Return the place of the parenthesis that closes the one at ``opening``."""
    depth = tokens[opening].depth
    for place in range(opening + 1, len(tokens)):
        if tokens[place].text == ")" and tokens[place].depth == depth:
            return place
    return len(tokens)


def split(tokens: Sequence[Token]) -> list[list[Token]]:
    """Split a list of items at its own commas (not at those inside parentheses)."""
    items: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == "," and token.depth == tokens[0].depth:
            items.append([])
        else:
            items[-1].append(token)
    return [item for item in items if item]


def text_of(sql: str, tokens: Sequence[Token]) -> str:
    """Return the source text from the first token to the last, '' for none."""
    return sql[tokens[0].start : tokens[-1].end] if tokens else ""
