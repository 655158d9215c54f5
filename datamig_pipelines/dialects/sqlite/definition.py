"""What only the text of a CREATE statement tells: checks, expressions, collations, names."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from datamig_pipelines.dialects.sqlite.tokens import Token, closing, split, text_of, tokenize

_CONSTRAINTS = (
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
    "AS",
)


@dataclass(frozen=True)
class Reference:
    """A REFERENCES clause: the constraint's name, the parent as written, when it is checked."""

    name: str
    parent: str
    deferrable: str


@dataclass
class TableText:
    """What the text of one CREATE TABLE says; names of columns in lower case.

    ``uniques`` and ``checks`` are (name, columns) and (name, expression), '' for no name;
    ``references`` stand in order of writing.
    """

    autoincrement: bool = False
    primary_key: str = ""
    collations: dict[str, str] = field(default_factory=dict)
    generated: dict[str, str] = field(default_factory=dict)
    uniques: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    checks: list[tuple[str, str]] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)


@dataclass(frozen=True)
class IndexText:
    """The parts of a CREATE INDEX as written (without ASC and DESC), and its WHERE or None."""

    parts: tuple[str, ...]
    where: str | None


def parse_table(sql: str) -> TableText:
    """Read a CREATE TABLE as SQLite keeps it in ``sqlite_master.sql``."""
    tokens = tokenize(sql)
    found = TableText()
    opening = next((i for i, t in enumerate(tokens) if t.text == "("), None)
    if opening is None:  # CREATE TABLE AS keeps a generated text; nothing else has no parenthesis
        return found
    for item in split(tokens[opening + 1 : closing(tokens, opening)]):
        table_level = item[0].is_word("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
        column = "" if table_level else item[0].name.lower()
        start = 0 if table_level else _after_type(item)
        _constraints(sql, found, column, item[start:])
    return found


def parse_index(sql: str) -> IndexText:
    """Read a CREATE INDEX."""
    tokens = tokenize(sql)
    opening = next(i for i, t in enumerate(tokens) if t.text == "(")
    end = closing(tokens, opening)
    parts = []
    for part in split(tokens[opening + 1 : end]):
        kept = part[:-1] if len(part) > 1 and part[-1].is_word("ASC", "DESC") else part
        while kept[0].text == "(" and closing(kept, 0) == len(kept) - 1:
            kept = kept[1:-1]
        parts.append(text_of(sql, kept))
    where = [t for t in tokens[end + 1 :] if t.text != ";"]
    return IndexText(tuple(parts), text_of(sql, where[1:]) if where else None)


def parse_view(sql: str, name: str) -> str:
    """Return the SELECT of a CREATE VIEW; a list of columns becomes a common table expression."""
    tokens = tokenize(sql)
    opening = next((i for i, t in enumerate(tokens) if t.is_word("AS") and t.depth == 0), -1)
    select = text_of(sql, tokens[opening + 1 :]).rstrip("; \n\t")
    if opening < 1 or tokens[opening - 1].text != ")":
        return select
    first = next(i for i, t in enumerate(tokens) if t.text == "(")
    columns = text_of(sql, tokens[first : closing(tokens, first) + 1])
    quoted = '"' + name.replace('"', '""') + '"'
    return f"WITH {quoted} {columns} AS (\n{select}\n)\nSELECT * FROM {quoted}"


def _after_type(item: Sequence[Token]) -> int:
    depth = item[0].depth
    for place in range(1, len(item)):
        if item[place].depth == depth and item[place].is_word(*_CONSTRAINTS):
            return place
    return len(item)


def _constraints(sql: str, found: TableText, column: str, tokens: Sequence[Token]) -> None:
    """Walk over the constraints of one column ('' for the table's own) and note each."""
    name, place = "", 0
    while place < len(tokens):
        token = tokens[place]
        if token.is_word("CONSTRAINT") and place + 1 < len(tokens):
            name, place = tokens[place + 1].name, place + 2
            continue
        end = _end_of(tokens, place)
        _note(sql, found, (column, name), tokens[place:end])
        name, place = "", end


def _end_of(tokens: Sequence[Token], place: int) -> int:
    """Return the place after a clause: up to the next word that begins one."""
    depth = tokens[place].depth
    begins = (
        "CONSTRAINT",
        "PRIMARY",
        "UNIQUE",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "GENERATED",
        "FOREIGN",
    )
    for at in range(place + 1, len(tokens)):
        token = tokens[at]
        if token.depth != depth or tokens[at - 1].is_word("DEFAULT", "COLLATE"):
            continue
        if token.is_word(*begins):
            return at
        if token.is_word("REFERENCES") and not tokens[place].is_word("FOREIGN"):
            return at
        if token.is_word("AS") and not tokens[place].is_word("GENERATED"):
            return at
    return len(tokens)


def _note(sql: str, found: TableText, at: tuple[str, str], clause: Sequence[Token]) -> None:
    """Note one clause of (column, name of the constraint)."""
    column, name = at
    word = clause[0].text.upper() if clause[0].kind == "word" else ""
    match word:
        case "PRIMARY":
            found.primary_key = name
            found.autoincrement |= any(t.is_word("AUTOINCREMENT") for t in clause)
        case "UNIQUE":
            found.uniques.append((name, _names(clause) or (column,)))
        case "CHECK":
            found.checks.append((name, _inside(sql, clause)))
        case "COLLATE":
            found.collations[column] = clause[1].name
        case "GENERATED" | "AS":
            found.generated[column] = _inside(sql, clause)
        case "REFERENCES" | "FOREIGN":
            found.references.append(_reference(name, clause))


def _names(clause: Sequence[Token]) -> tuple[str, ...]:
    opening = next((i for i, t in enumerate(clause) if t.text == "("), None)
    if opening is None:
        return ()
    return tuple(p[0].name.lower() for p in split(clause[opening + 1 : closing(clause, opening)]))


def _inside(sql: str, clause: Sequence[Token]) -> str:
    opening = next(i for i, t in enumerate(clause) if t.text == "(")
    return text_of(sql, clause[opening + 1 : closing(clause, opening)])


def _reference(name: str, clause: Sequence[Token]) -> Reference:
    place = next(i for i, t in enumerate(clause) if t.is_word("REFERENCES"))
    words = [t.text.upper() for t in clause[place + 2 :] if t.depth == clause[place].depth]
    deferrable = ""
    if "DEFERRABLE" in words and words[words.index("DEFERRABLE") - 1] != "NOT":
        deferrable = "deferred" if "DEFERRED" in words else "deferrable"
    return Reference(name, clause[place + 1].name, deferrable)
