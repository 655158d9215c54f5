"""datamig new: writes a commented migration file."""

import json
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from datamig_pipelines.cli.arguments import AsJson
from datamig_pipelines.cli.output import document, say
from datamig_pipelines.errors import PermissionDeniedError, SpecError
from datamig_pipelines.spec import Connection, Migration, read_migration

_TEMPLATE = Path(__file__).with_name("template.yaml")

Name = Annotated[
    str, typer.Argument(help="Letters, digits and _; jobs and assets are called by it.")
]
SourceUrl = Annotated[str, typer.Option(help="URL of the source, without a password.")]
SourceEnv = Annotated[str, typer.Option(help="Environment variable that holds the source's URL.")]
TargetUrl = Annotated[str, typer.Option(help="URL of the target, without a password.")]
TargetEnv = Annotated[str, typer.Option(help="Environment variable that holds the target's URL.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the file. Default: the project's defs/NAME in a checkout, else ./NAME."
    ),
]


def new(
    name: Name,
    *,
    source_url: SourceUrl = "",
    source_env: SourceEnv = "",
    target_url: TargetUrl = "",
    target_env: TargetEnv = "",
    to: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write a commented defs.yaml; an existing file is never overwritten."""
    source = _connection("source", name, source_url, source_env)
    target = _connection("target", name, target_url, target_env)
    _check(name, source, target)
    path = (to or _home(name)) / "defs.yaml"
    text = _TEMPLATE.read_text(encoding="utf-8")
    for mark, value in {"@NAME@": name, "@SOURCE@": source, "@TARGET@": target}.items():
        text = text.replace(mark, value)
    _write(path, text)
    read_migration(path)
    if as_json:
        document({"migration": name, "file": str(path)})
    else:
        say(f"wrote {path}\nnext: datamig check {path} · datamig plan {path}")


def _connection(end: str, name: str, url: str, env: str) -> str:
    """Return a connection as one line of YAML (a JSON object is one)."""
    if url and env:
        msg = f"--{end}-url and --{end}-env cannot both be given"
        raise SpecError(msg, hint="An environment variable is the place for a URL with a password.")
    if url:
        return json.dumps({"url": url})
    return f"{{url_env: {env or f'{name.upper()}_{end.upper()}_URL'}}}"


def _check(name: str, source: str, target: str) -> None:
    """Refuse what the file would refuse, before it is written. Raises SpecError."""
    import yaml
    from pydantic import ValidationError

    for end, text in (("source", source), ("target", target)):
        try:
            Connection.model_validate(yaml.safe_load(text))
        except ValidationError as error:
            told = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            hint = f"datamig new {name} --{end}-env NAME, and export NAME with the URL."
            raise SpecError(told, hint=hint, where=f"--{end}-url") from None
    try:
        Migration.model_validate(
            {"name": name, "source": {"url": "sqlite://"}, "target": {"url": "sqlite://"}}
        )
    except ValidationError:
        msg = f"{name!r} cannot be the name of a migration"
        raise SpecError(msg, hint="Use letters, digits and _, beginning with a letter.") from None


def _home(name: str) -> Path:
    """Return the folder in the project's defs where we stand in a checkout, else one right here."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        defs = folder / "datamig_pipelines" / "defs"
        if defs.is_dir() and _is_this_project(folder / "pyproject.toml"):
            return defs / name
    return Path(name)


def _is_this_project(pyproject: Path) -> bool:
    if not pyproject.is_file():
        return False
    project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
    return str(project.get("name", "")).replace("-", "_") == "datamig_pipelines"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        msg = f"{path} is already there"
        raise SpecError(msg, hint="Edit it, or name another folder with --to.") from None
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise PermissionDeniedError(msg, hint="Name another folder with --to.") from None
