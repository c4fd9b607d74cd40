"""What `caseroll import` sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli.import_mutation import ImportMutation
from api.cli.imports import import_


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Keep the inputs of mutations, instead of sending them."""
    inputs: list[dict[str, Any]] = []

    async def keep(*_: object, **variables: dict[str, Any]) -> int:
        inputs.append(variables["input"])
        return 0

    monkeypatch.setattr(ImportMutation, "run", keep)
    monkeypatch.setattr("api.cli.imports.find_api", lambda _: None)
    return inputs


def upload(folder: Path, *options: str) -> tuple[int, str]:
    """Run `caseroll import`."""
    file = folder / "users.csv"
    file.write_text("x", encoding="utf-8")
    arguments = [str(file), "--type", "add-users", "--name", "May", *options]
    result = CliRunner().invoke(import_, arguments, standalone_mode=False)
    return result.exit_code, str(result.exception or result.output)


def test_headers(tmp_path: Path, sent: list[dict[str, Any]]) -> None:
    """What headers stand for is sent as the API takes it; a header may have a `=`."""
    code, _ = upload(
        tmp_path, "--map", "E-Mail=username", "--map", "a=b=locale", "--ignore", "Notes"
    )
    upload(tmp_path)

    assert code == 0
    assert sent[0]["columns"] == [
        {"header": "E-Mail", "column": "username"},
        {"header": "a=b", "column": "locale"},
    ]
    assert sent[0]["ignoreColumns"] == ["Notes"]
    assert (sent[1]["columns"], sent[1]["ignoreColumns"]) == (None, None)


def test_idempotency_key(tmp_path: Path, sent: list[dict[str, Any]]) -> None:
    """A key is sent as it is; without one, no key is."""
    upload(tmp_path, "--idempotency-key", "2026-05/1")
    upload(tmp_path)

    assert [each["idempotencyKey"] for each in sent] == ["2026-05/1", None]


@pytest.mark.parametrize("text", ["username", "=username", "E-Mail=", ""])
def test_half_a_header(tmp_path: Path, sent: list[dict[str, Any]], text: str) -> None:
    """A header without a column, or the other way round, is refused before anything is sent."""
    code, message = upload(tmp_path, "--map", text)

    assert (code, sent) == (1, [])
    assert "does not say which column a header is" in message
