"""Finds migration files, reads them, and says in which line they are wrong."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec.migration import Migration

DEFS = Path(__file__).parent.parent / "defs"
COMPONENT = "datamig_pipelines.Migration"


def list_migrations() -> dict[str, Path]:
    """Return the migrations of this project: folder name → file."""
    return {p.parent.name: p for p in sorted(DEFS.glob("*/defs.yaml"))}


def find_migration(name_or_path: str) -> Path:
    """Return the file of a migration, given its name or a path. Raises SpecError."""
    path = Path(name_or_path)
    if path.is_dir():
        path = path / "defs.yaml"
    if path.suffix in (".yaml", ".yml"):
        if path.is_file():
            return path
        msg = f"there is no file {name_or_path}"
        raise SpecError(msg, hint="Check the path, or make one with `datamig new NAME`.")
    known = list_migrations()
    if name_or_path in known:
        return known[name_or_path]
    named = [p for p in known.values() if read_migration(p).name == name_or_path]
    if named:
        return named[0]
    msg = f"there is no migration called {name_or_path!r}"
    hint = f"Known are: {', '.join(known) or 'none'}. Make one with `datamig new {name_or_path}`."
    raise SpecError(msg, hint=hint)


def read_migration(path: Path) -> Migration:
    """Read one migration file.

    Raises:
        SpecError: With file, line, key and reason of the first mistake, and the others after it.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise SpecError(msg, hint="Check the path and its permissions.") from None
    except yaml.YAMLError as error:
        raise _broken_yaml(path, error) from None
    if not isinstance(data, dict) or not isinstance(data.get("attributes"), dict):
        msg = "a migration file has two keys: type and attributes"
        hint = f"Write `type: {COMPONENT}` and below it `attributes:` with name, source and target."
        raise SpecError(msg, hint=hint, where=f"{path}:1")
    if data.get("type") != COMPONENT:
        msg = f"type is {data.get('type')!r}"
        raise SpecError(msg, hint=f"Write `type: {COMPONENT}`.", where=f"{path}:1")
    try:
        return Migration.model_validate(data["attributes"]).based(path.parent)
    except ValidationError as error:
        raise _invalid(path, tree, error) from None


def _broken_yaml(path: Path, error: Any) -> SpecError:
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark else ""
    reason = getattr(error, "problem", None) or str(error)
    return SpecError(f"this is no YAML: {reason}", hint="Mend the line.", where=f"{path}{line}")


def _invalid(path: Path, tree: Any, error: ValidationError) -> SpecError:
    mistakes = []
    for item in error.errors():
        place = ".".join(str(p) for p in item["loc"]) or "attributes"
        line = _line(tree, ("attributes", *item["loc"]))
        mistakes.append((f"{path}:{line}", f"{place}: {_reason(item)}"))
    more = "".join(f"\n  also {where} {what}" for where, what in mistakes[1:])
    hint = "Mend the line; docs/reference.md lists every key." + more
    return SpecError(mistakes[0][1], hint=hint, where=mistakes[0][0])


def _reason(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        return "there is no such key"
    if item["type"] == "missing":
        return "this key is needed"
    given = item.get("input")
    return f"{message} (here: {given!r})" if isinstance(given, str | int | float | bool) else message


def _line(node: Any, place: tuple[Any, ...]) -> int:
    """Return the line of the deepest part of ``place`` that stands in the file; the first is 1."""
    line = int(node.start_mark.line) + 1
    for part in place:
        found = _child(node, part)
        if found is None:
            return line
        key, node = found
        line = int(key.start_mark.line) + 1
    return line


def _child(node: Any, part: Any) -> tuple[Any, Any] | None:
    if isinstance(node.value, list):
        for index, item in enumerate(node.value):
            if isinstance(item, tuple):
                if item[0].value == str(part):
                    return item
            elif index == part:
                return item, item
    return None
