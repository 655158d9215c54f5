"""House rules that need only the tree: sizes, names, registries, errors, imports, SQL.

The direction of imports is import-linter's, arguments and complexity are ruff's as well.
"""

import ast
import importlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from datamig_pipelines import errors

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "datamig_pipelines"
TESTS = ROOT / "datamig_pipelines_tests"

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_ARGUMENTS = 6
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager", "core"}
HEAVY = {
    *("dagster", "pandas", "polars", "great_expectations"),
    *("psycopg", "psycopg2", "pymysql", "MySQLdb", "duckdb"),
}
SQL = re.compile(
    r"\s*((SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER)\s"
    r"|select\s.*\sfrom\s|insert into\s|delete from\s|update\s+\S+\s+set\s)",
    re.DOTALL,
)
SQL_IS_AT_HOME = {"dialects", "sample"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_module_is_at_most_400_lines() -> None:
    """No module, tests included, is longer than 400 lines."""
    sizes = {name: len(path.read_text("utf-8").splitlines()) for name, path in _modules()}

    assert {name: size for name, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def test_function_is_at_most_60_lines() -> None:
    """No function, tests included, has a body of more than 60 lines, docstring not counted."""
    long = {
        f"{name}:{function.lineno} {function.name}": lines
        for name, function in _functions(PACKAGE, TESTS)
        if (lines := _body_lines(function)) > MAX_FUNCTION_LINES
    }

    assert long == {}


def test_function_takes_at_most_6_positional_arguments() -> None:
    """No function of the package takes more than 6 arguments, self and keyword-only aside."""
    many = {
        f"{name}:{function.lineno} {function.name}": count
        for name, function in _functions(PACKAGE)
        if (count := _positional(function)) > MAX_ARGUMENTS
    }

    assert many == {}


def test_file_says_what_it_holds() -> None:
    """No file or folder has a name under which anything could stand."""
    names = {
        str(path.relative_to(ROOT))
        for top in (PACKAGE, TESTS)
        for path in top.rglob("*")
        if path.stem in FORBIDDEN_NAMES
    }

    assert names == set()


def test_dialects_equal_the_folders() -> None:
    """DIALECTS holds each folder of dialects/ that is an engine, and nothing else."""
    folders = {path.parent.name for path in (PACKAGE / "dialects").glob("*/__init__.py")}
    registry = _registry("dialects", "DIALECTS")

    assert {_home(member, "dialects") for member in registry.values()} == folders


@pytest.mark.parametrize(("family", "name"), [("steps", "STEPS"), ("proofs", "PROOFS")])
def test_registry_equals_the_folder(family: str, name: str) -> None:
    """A registry has one line per file of its family, under the file's name; base.py is none."""
    listing = {
        path.stem
        for path in (PACKAGE / family).glob("*.py")
        if path.stem not in {"__init__", "base"}
    } | {path.parent.name for path in (PACKAGE / family).glob("*/__init__.py")}
    registry = _registry(family, name)

    assert {key: _home(member, family) for key, member in registry.items()} == {
        member: member for member in listing
    }


def test_error_tree_is_the_class_tree() -> None:
    """The tree on top of errors.py is the tree of the classes, in their order."""
    document = errors.__doc__ or ""
    told = [
        re.sub(r"^(\s*\w+).*", r"\1", line)
        for line in document[document.index("DatamigError") :].partition("\n\n")[0].splitlines()
    ]

    assert told == list(_tree(errors.DatamigError))


def test_error_code_is_unique_and_of_its_family() -> None:
    """Each error has a code of its own, DM and three digits, the first being its family's."""
    classes = list(_classes(errors.DatamigError))
    codes = Counter(vars(one).get("code", f"{one.__name__} has none") for one in classes)

    assert [
        code for code, count in codes.items() if count > 1 or not re.fullmatch(r"DM\d{3}", code)
    ] == []
    strangers = {
        one.__name__: one.code
        for family in errors.DatamigError.__subclasses__()
        for one in _classes(family)
        if one.code[:3] != family.code[:3]
    }
    assert strangers == {}


def test_architecture_shows_every_folder() -> None:
    """The tree in ARCHITECTURE.md names every folder of the package."""
    document = ROOT / "ARCHITECTURE.md"
    assert document.exists(), "ARCHITECTURE.md is not written yet"
    trees = "\n".join(re.findall(r"(?ms)^```.*?\n(.*?)^```", document.read_text("utf-8")))
    folders = {
        path.name
        for path in PACKAGE.rglob("*")
        if path.is_dir() and (any(path.glob("*.py")) or path.name == "defs")
    }

    assert {name for name in folders if not re.search(rf"\b{name}/", trees)} == set()


@pytest.mark.parametrize("module", ["spec", "planning", "cli"])
def test_import_loads_nothing_heavy(module: str) -> None:
    """Importing the core or the command line loads no Dagster, no driver and no data frame."""
    program = f"import sys, datamig_pipelines.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert HEAVY & {name.partition(".")[0] for name in done.stdout.split()} == set()


def test_sql_stands_in_dialects_alone() -> None:
    """No string outside dialects/ (and the made-up sample) begins like an SQL statement."""
    found = [
        f"{name}:{text.lineno} {text.value.strip()[:50]!r}"
        for name, path in _modules(PACKAGE)
        if not SQL_IS_AT_HOME & {part.removesuffix(".py") for part in Path(name).parts}
        for text in _strings(_parsed(path))
        if SQL.match(text.value)
    ]

    assert found == []


def _modules(*tops: Path) -> Iterator[tuple[str, Path]]:
    for top in tops or (PACKAGE, TESTS):
        for path in sorted(top.rglob("*.py")):
            yield str(path.relative_to(ROOT)), path


def _functions(*tops: Path) -> Iterator[tuple[str, Function]]:
    for name, path in _modules(*tops):
        for node in ast.walk(_parsed(path)):
            if isinstance(node, Function):
                yield name, node


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def _positional(function: Function) -> int:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def _registry(family: str, name: str) -> dict[str, object]:
    return getattr(importlib.import_module(f"datamig_pipelines.{family}"), name)


def _home(member: object, family: str) -> str:
    """Return the file or folder of a family that a member comes from (a class, object or path)."""
    module = member if isinstance(member, str) else member.__module__
    return module.removeprefix(f"datamig_pipelines.{family}.").split(".")[0].split(":")[0]


def _classes(top: type) -> Iterator[type]:
    yield top
    for child in top.__subclasses__():
        yield from _classes(child)


def _tree(top: type, depth: int = 0) -> Iterator[str]:
    yield "  " * depth + top.__name__
    for child in top.__subclasses__():
        yield from _tree(child, depth + 1)


def _strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the strings of a module, parts of f-strings included, docstrings not."""
    documented = (ast.Module, ast.ClassDef, Function)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in docstrings:
            yield node
