"""Goes along a line of migrations: one job of Dagster per move, up to the first that fails."""

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamig_pipelines.cli.exits import OK
from datamig_pipelines.cli.failures import as_dict, print_error
from datamig_pipelines.cli.output import document, remark, say
from datamig_pipelines.errors import DatamigError, SpecError
from datamig_pipelines.spec import Launch, Migration, line_of


@dataclass(frozen=True)
class Manner:
    """How a walk asks and tells."""

    yes: bool
    verbose: bool
    as_json: bool


def walk(spec: Migration, path: Path, launch: Launch, manner: Manner) -> int:
    """Make every move from where the target stands to where the launch points.

    Returns the exit code of the first move that did not end with 0, else 0. The same command goes
    on from there.

    Raises:
        SpecError: The line is broken, or an option means a single migration.
        PlanChangedError: A migration that the way leads over was edited since it was applied.
    """
    from datamig_pipelines import running

    _refuse_options(launch)
    todo = running.moves(spec, launch.direction)
    plural = ", ".join(f"{'run' if m.forward else 'take back'} {m.migration.name}" for m in todo)
    remark(f"direction {launch.direction}: {plural or 'nothing to do'}")
    if launch.dry_run:
        if manner.as_json:
            document({"direction": launch.direction, "moves": [_told(m) for m in todo]})
        else:
            say(f"dry run: {len(todo)} moves; nothing was changed")
        return OK
    for text in running.refuse_edited(spec, todo):
        remark(text)
    paths = {**line_of(spec).files, spec.name: path}
    done: list[dict[str, Any]] = []
    code = OK
    for move in todo:
        code, said = _made(move, paths[move.migration.name], launch, manner)
        done.append({**_told(move), "exit_code": code, "result": said})
        if code != OK:
            left = [m.migration.name for m in todo[len(done) :]]
            remark(f"stopped at {move.migration.name}; not reached: {', '.join(left) or 'nothing'}")
            break
    if manner.as_json:
        document({"direction": launch.direction, "moves": done, "exit_code": code})
    return code


def _refuse_options(launch: Launch) -> None:
    for option in ("tables", "plan"):
        if getattr(launch, option):
            msg = f"--{option} is for one migration, --direction {launch.direction} for a line"
            raise SpecError(msg, hint="Leave one of both out.")


def _told(move: Any) -> dict[str, Any]:
    return {"migration": move.migration.name, "does": "run" if move.forward else "take back"}


def _made(move: Any, path: Path, launch: Launch, manner: Manner) -> tuple[int, Any]:
    """Make one move; with --json what it says becomes a part of the one document."""
    from datamig_pipelines.cli.run import bring_up, take_down

    how = {"verbose": manner.verbose, "as_json": manner.as_json}
    held = io.StringIO()
    stream = contextlib.redirect_stdout(held) if manner.as_json else contextlib.nullcontext()
    try:
        with stream:
            if move.forward:
                code = bring_up(move.migration, path, launch, **how)
            else:
                code = take_down(move.migration, path, launch, yes=manner.yes, **how)
    except DatamigError as error:
        print_error(error)
        return error.exit_code, {"error": as_dict(error)}
    return code, json.loads(held.getvalue()) if manner.as_json else None
