"""Files that were once read wrongly, kept so that they never are again."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.fuzz.made import Made

FOLDER = Path(__file__).with_name("found")


def save(made: Made, seed: int) -> Path:
    """Save a file with what is known of it; return where."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{seed}.json"
    content = base64.b64encode(made.content).decode()
    kept = {"kind": made.kind, "declared": made.declared, "table": made.table, "block": made.block}
    path.write_text(json.dumps({**kept, "content": content}, indent=1) + "\n")
    return path


def load(path: Path) -> Made:
    """Load a file that was saved."""
    kept = json.loads(path.read_text())
    return Made(**{**kept, "content": base64.b64decode(kept["content"])})
