"""Writes docs/reference.md, every key of a migration file, from the models themselves."""

import sys
from pathlib import Path
from typing import Any

from datamig_pipelines.spec import Migration

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"
HEAD = """# Every key of a migration file

Generated from the models in `datamig_pipelines/spec` by `scripts/write_reference.py`; do not edit.
A file has two keys at the top, `type: datamig_pipelines.Migration` and `attributes:`; what follows
stands below `attributes`. Only `name`, `source` and `target` are needed.

| key | type | default | meaning |
|---|---|---|---|
"""


def rows(schema: dict[str, Any], node: dict[str, Any], prefix: str) -> list[str]:
    """Return one table row per key below a node of the JSON schema."""
    out = []
    required = node.get("required", [])
    for name, field in node.get("properties", {}).items():
        inner = _inner(schema, field)
        repeated = (
            "[]"
            if field.get("type") == "array"
            else ".<name>"
            if "additionalProperties" in field
            else ""
        )
        key = f"{prefix}{name}"
        default = "**needed**" if name in required else _default(field)
        about = field.get("description") or inner.get("description", "").partition("\n")[0]
        out.append(f"| `{key}` | {_type(schema, field)} | {default} | {about} |")
        if "properties" in inner:
            out += rows(schema, inner, f"{key}{repeated}.")
    return out


def _inner(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    for place in (
        field,
        field.get("items"),
        field.get("additionalProperties"),
        *field.get("anyOf", []),
    ):
        if isinstance(place, dict) and "$ref" in place:
            found: dict[str, Any] = schema["$defs"][place["$ref"].rpartition("/")[2]]
            return found
    return {}


def _type(schema: dict[str, Any], field: dict[str, Any]) -> str:
    inner = _inner(schema, field)
    if "enum" in inner or "enum" in field:
        return " \\| ".join(f"`{v}`" for v in inner.get("enum") or field["enum"])
    if field.get("type") == "array":
        items = field.get("items", {})
        of = "object" if "$ref" in items else _type(schema, items)
        return f"list of {of}"
    if "additionalProperties" in field:
        return "map"
    if "$ref" in field or inner:
        return "object"
    options = [o.get("type", "") for o in field.get("anyOf", []) if o.get("type") != "null"]
    return str(field.get("type") or " or ".join(options) or "text")


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if value is None or isinstance(value, dict):
        return "–"
    if isinstance(value, list):
        return "`[" + ", ".join(str(v) for v in value) + "]`"
    return f"`{value}`" if value != "" else "`''`"


def page() -> str:
    """Return the text of docs/reference.md."""
    schema = Migration.model_json_schema(by_alias=True)
    return HEAD + "\n".join(rows(schema, schema, "")) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE}\n")
