"""Styles and scripts: small, our own, and kept for ever below a path that changes with them."""

from __future__ import annotations

import re

from api.console.static_files import static_files, static_version
from tests.api.console.browser import Browser


async def test_kept(stranger: Browser) -> None:
    """A browser asks once for each version; of another version there is nothing."""
    answer = await stranger.get(f"/console/static/{static_version()}/console.css")
    other = await stranger.get("/console/static/0/console.css")

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert other.status == 404


def test_scripts_are_small() -> None:
    """All scripts together are as small as a picture."""
    assert sum(len(text) for name, text in static_files().items() if name.endswith(".js")) <= 40_000


def test_nothing_from_elsewhere() -> None:
    """No style or script names another host."""
    text = b"\n".join(static_files().values()).decode()

    assert (
        re.findall(r"(?:https?:)?//[a-z]+\.[a-z]+", text.replace("//www.w3.org/2000/svg", "")) == []
    )
