"""Files that were once read wrongly, saved for the tests."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.fuzz.random_file import RandomFile

FOLDER = Path(__file__).with_name("found")


def save(file: RandomFile, seed: int) -> Path:
    """Save a file with what is known about it; return its path."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{seed}.json"
    content = base64.b64encode(file.content).decode()
    kept = {"kind": file.kind, "declared": file.declared, "table": file.table, "block": file.block}
    path.write_text(json.dumps({**kept, "content": content}, indent=1) + "\n")
    return path


def load(path: Path) -> RandomFile:
    """Load a file that was saved."""
    kept = json.loads(path.read_text())
    return RandomFile(**{**kept, "content": base64.b64decode(kept["content"])})
