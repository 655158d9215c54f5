"""What the matrix measured last: one JSON file per pair of engines."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fidelity"

Cells = dict[str, dict[str, Any]]


def stored(source: str, target: str) -> Cells:
    """Return the cells of a pair, {} if it was never measured."""
    path = FOLDER / f"{source}_{target}.json"
    cells: Cells = json.loads(path.read_text()) if path.exists() else {}
    return cells


def write(source: str, target: str, cells: Cells) -> None:
    """Keep the cells of a pair."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(cells, indent=1, ensure_ascii=False)
    (FOLDER / f"{source}_{target}.json").write_text(text + "\n")
