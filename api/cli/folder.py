"""The folder where `caseroll up` keeps its data, and notes for other commands."""

from __future__ import annotations

import fcntl
import os
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.failure import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_FOLDER = ".caseroll"


class DataFolder:
    """The folder of one local Caseroll.

    Its notes, `url`, `admin.token` and `database.url`, are readable by their owner alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mail = path / "mail"

    @property
    def option(self) -> str:
        """The option that names this folder, ` --data DIR`; empty for the default folder."""
        is_default = self.path.resolve() == Path(DEFAULT_FOLDER).resolve()
        return "" if is_default else f" --data {shlex.quote(str(self.path))}"

    def read(self, name: str) -> str | None:
        """Return a note's text; None if the note is missing or blank."""
        try:
            return (self.path / name).read_text().strip() or None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, text: str) -> None:
        """Replace a note; only the owner can read it."""
        new = self.path / f".{name}.new"
        # A process that was killed may have left one behind.
        new.unlink(missing_ok=True)
        # Private from the start: a file that becomes so later can be opened before. And a new file
        # in the place of the old one, so that no reader finds half a token.
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
        new.replace(self.path / name)

    def remove(self, name: str) -> None:
        """Remove a note, if it exists."""
        (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder if it is missing, and lock it for this process.

        Raises:
            RefusedError: another `caseroll up` holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            try:
                # The kernel frees it with the process, also after `kill -9`; a file with a number
                # would stay.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RefusedError(
                    f"another `caseroll up` is running on {self.path}; "
                    "stop it, or give this one another folder with --data."
                ) from None
            yield


folder_option = click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(DEFAULT_FOLDER),
    show_default=True,
    callback=lambda _context, _parameter, path: DataFolder(path),
    help="The folder of the local `caseroll up`.",
)
