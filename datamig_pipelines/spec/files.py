"""Finds migration files, reads them, and says in which line they are wrong."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec.migration import Migration

DEFS = Path(__file__).parent.parent / "defs"
COMPONENT = "datamig_pipelines.Migration"

_TOP: Final = ("type", "attributes", "requirements", "template_vars_module", "post_processing")
"""The keys of a Dagster component file."""
_PLAIN: Final = {
    "bool_type": "this is true or false",
    "bool_parsing": "this is true or false",
    "dict_type": "this has keys below it",
    "int_type": "this is a whole number",
    "int_parsing": "this is a whole number",
    "int_from_float": "this is a whole number",
    "invalid_key": "this key is no text; put it in quotes",
    "model_type": "this has keys below it",
    "string_type": "this is a text; put it in quotes",
    "tuple_type": "this is a list: [one, two]",
}
"""Pydantic's words for a mistake, in ours."""


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
    data, tree = _parsed(path)
    if not isinstance(data, dict) or not isinstance(data.get("attributes"), dict):
        raise SpecError(
            "a migration file has two keys: type and attributes",
            hint=f"Write `type: {COMPONENT}`, then `attributes:` with name, source and target.",
            where=f"{path}:1",
        )
    strange = [key for key in data if key not in _TOP]
    if strange:
        raise SpecError(
            f"{strange[0]}: there is no such key beside type and attributes",
            hint="Does it belong below attributes? Then indent it.",
            where=f"{path}:{_line(tree, (strange[0],))}",
        )
    if data.get("type") != COMPONENT:
        raise SpecError(
            f"type is {data.get('type')!r}",
            hint=f"Write `type: {COMPONENT}`.",
            where=f"{path}:{_line(tree, ('type',))}",
        )
    try:
        return Migration.model_validate(data["attributes"]).based(path.parent)
    except ValidationError as error:
        raise _invalid(path, tree, error) from None


def _parsed(path: Path) -> tuple[Any, Any]:
    """Return what the file says and the nodes that know where it says so. Raises SpecError."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except OSError as error:
        raise SpecError(
            f"{path} cannot be read: {error.strerror}", hint="Check the path and its permissions."
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpecError(
            "this is not UTF-8", hint="Save the file as UTF-8.", where=f"{path}:{line}"
        ) from None
    except yaml.YAMLError as error:
        raise _broken_yaml(path, error) from None
    twice = _twice(tree, set())
    if twice is not None:
        raise SpecError(
            f"{twice.value} stands there twice, and only the last would count",
            hint="Keep one of both.",
            where=f"{path}:{twice.start_mark.line + 1}",
        )
    return data, tree


def _twice(node: Any, visited: set[int]) -> Any:
    """Return the second of two equal keys of one mapping below a node, or None."""
    if id(node) in visited or not isinstance(getattr(node, "value", None), list):
        return None
    visited.add(id(node))
    seen: set[str] = set()
    for item in node.value:
        key, child = item if isinstance(item, tuple) else (None, item)
        if key is not None and isinstance(key.value, str):
            if key.value in seen:
                return key
            seen.add(key.value)
        found = _twice(child, visited)
        if found is not None:
            return found
    return None


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
    """Return what is wrong in the words of somebody who writes YAML."""
    given = item.get("input")
    shown = f" (here: {given!r})" if isinstance(given, str | int | float) else ""
    if item["type"] == "extra_forbidden":
        return "there is no such key" + _meant(str(item["loc"][-1]))
    if item["type"] == "missing":
        return "this key is needed"
    said = _PLAIN.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ")
    return (said if given is not None else f"{said}; nothing stands there") + shown


def _meant(key: str) -> str:
    """Return a question about the key that looks most like a wrong one."""
    close = get_close_matches(key, _keys(Migration), n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else ""


def _keys(model: type[BaseModel]) -> set[str]:
    """Return every key that a model and the models in it know."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {key for part in parts for key in part.get("properties", {})}


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
