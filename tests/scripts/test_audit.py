"""The audit of `make check` fails on what is known, and on nothing else."""

from __future__ import annotations

import json

import pytest

from scripts import audit

GOOD = {"name": "h11", "version": "1", "vulns": []}
BAD = {"name": "h11", "version": "1", "vulns": [{"id": "GHSA-1", "fix_versions": ["2"]}]}
UNKNOWN = {"name": "h11", "skip_reason": "not found"}


def says(text: str) -> tuple[str, ...]:
    """Return a command that prints a text instead of asking a service."""
    return ("-c", f"print({text!r})")


@pytest.mark.parametrize(
    ("packages", "code", "line"),
    [
        ([GOOD], 0, "No known vulnerabilities."),
        ([GOOD, BAD], 1, "h11 1: GHSA-1, fixed in 2"),
        ([UNKNOWN, UNKNOWN], 0, "not audited: "),
        ([UNKNOWN, BAD], 1, "h11 1: GHSA-1, fixed in 2"),
    ],
    ids=["good", "bad", "unknown", "partly unknown"],
)
def test_what_the_service_says(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packages: list[object],
    code: int,
    line: str,
) -> None:
    """A known vulnerability fails the check, and is told with the version that mends it."""
    monkeypatch.setattr(audit, "_PIP_AUDIT", says(json.dumps({"dependencies": packages})))

    assert audit.main() == code
    assert capsys.readouterr().out.splitlines()[-1].startswith(line)


@pytest.mark.parametrize(
    "command",
    [("-c", "raise SystemExit('offline')"), ("-c", "import time; time.sleep(60)"), says("<html>")],
    ids=["fails", "hangs", "is no service"],
)
def test_no_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """Without a service that answers in time, one line says so, and nothing fails."""
    monkeypatch.setattr(audit, "_PIP_AUDIT", command)
    monkeypatch.setattr(audit, "_SECONDS", 2)

    assert audit.main() == 0
    assert capsys.readouterr().out.startswith("not audited: ")


def test_runtime_packages() -> None:
    """What Caseroll runs with is audited, however deep; what only developers need is not."""
    found = audit.runtime_packages("caseroll", audit._EXTRAS)

    assert {"starlette", "h11", "aiohttp", "graphql-core"} <= found
    assert not {"pytest", "ruff", "hypothesis"} & found
