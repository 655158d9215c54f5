"""Small scanners over the SQL that DuckDB's catalog prints."""


def split(text: str) -> list[str]:
    """Return the parts of a list at its top-level commas, outside quotes and brackets."""
    parts, depth, quote, start = [], 0, "", 0
    for at, mark in enumerate(text):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"":
            quote = mark
        elif mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def unquote(word: str) -> str | None:
    """Return the name that an identifier spells, or None if it is no identifier."""
    if len(word) >= 2 and word[0] == word[-1] == '"' and '"' not in word[1:-1].replace('""', ""):
        return word[1:-1].replace('""', '"')
    return word if word.replace("_", "a").isalnum() and not word[0].isdigit() else None


def spellings(name: str) -> tuple[str, str]:
    """Return a name as DuckDB may print it: quoted, or bare where it needs no quotes."""
    return '"' + name.replace('"', '""') + '"', name


def behind(text: str, *marks: str) -> str | None:
    """Return what follows the first of the marks that a text holds, or None."""
    for mark in marks:
        if mark in text:
            return text.split(mark, 1)[1]
    return None


def closes_at_end(text: str) -> bool:
    """Say whether the bracket that opens a text closes with its last character."""
    depth, quote = 0, ""
    for at, mark in enumerate(text):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"":
            quote = mark
        elif mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
            if depth == 0:
                return at == len(text) - 1
    return False
