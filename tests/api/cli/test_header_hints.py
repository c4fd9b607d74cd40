"""A header that is not its type's is answered with the options by which the file can stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.cli.header_hints import HeaderHints, hint_lines


def head(header: str, **values: Any) -> dict[str, Any]:
    """A name in a header, as the API describes it."""
    return {"header": header, "column": None, "suggestion": None, "ignored": False, **values}


PREVIEW: dict[str, Any] = {
    "columns": [
        head("locale", column="locale"),
        head("user name", suggestion="username"),
        head("Bob's notes"),
        head("errors", ignored=True),
        head(""),
    ],
    "mappedBefore": None,
}


class FakeApi:
    """Keeps what it is asked, and answers with a preview."""

    def __init__(self) -> None:
        self.inputs: list[dict[str, Any]] = []

    async def execute(self, _: str, **variables: Any) -> dict[str, Any]:
        self.inputs.append(variables["input"])
        return {"previewFile": {"preview": PREVIEW}}


def test_unknown_names() -> None:
    """Each name has its options, quoted for a shell; what is not known is COLUMN."""
    assert hint_lines(PREVIEW) == [
        "To import the file as it is, say what its columns are:",
        "  --map 'user name=username', or --ignore 'user name'",
        """  --map 'Bob'"'"'s notes=COLUMN', or --ignore 'Bob'"'"'s notes'""",
    ]


def test_what_was_said_before() -> None:
    """An earlier import with the same header has said all that is to be said."""
    before = {
        "name": "May",
        "columnMapping": [{"header": "E-Mail", "column": "username"}],
        "ignoredColumns": ["Notes", "Room 2"],
    }

    assert hint_lines({**PREVIEW, "mappedBefore": before}) == [
        "The import 'May' had the same header, and said: "
        "--map E-Mail=username --ignore Notes --ignore 'Room 2'"
    ]


def test_nothing_to_say() -> None:
    """A column that is missing has no option."""
    assert hint_lines({**PREVIEW, "columns": []}) == []


@pytest.mark.parametrize(("code", "count"), [("MISSING_COLUMN", 3), ("NAME_TAKEN", 0)])
async def test_when_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, count: int
) -> None:
    """The file is looked at again only where its header is the reason."""
    file = tmp_path / "users.csv"
    file.write_text("x")
    fields = {"type": "add-users", "encoding": None, "columns": None, "ignoreColumns": ["y"]}
    api: Any = FakeApi()
    await HeaderHints(file=file, fields=fields).print(api, [{"code": code}])

    assert len(capsys.readouterr().err.splitlines()) == count
    assert [each["ignoreColumns"] for each in api.inputs] == [["y"]] * (count > 0)
