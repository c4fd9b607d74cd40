"""Groups of problems that a visitor does not want to see."""

from __future__ import annotations

from api.console.pages.problems.group_key import GroupKey
from tests.api.console.browser import Browser

PAGE = "/console/imports/SW1wb3J0OjE%3D/problems"
KEYS = [GroupKey("NOT_FOUND", "user_id", text) for text in ("a", "b", "a")]


async def test_cookie(viewer: Browser) -> None:
    """Each group is kept once, for this import alone, and taken back in alone or with all."""
    answers = [await viewer.post(f"{PAGE}/leave-out", {"group": key.encode()}) for key in KEYS]
    back = await viewer.post(f"{PAGE}/leave-out", {"back": KEYS[0].encode()})
    shown = await viewer.post(f"{PAGE}/leave-out")
    cookies = [answer.headers["Set-Cookie"] for answer in [*answers, back, shown]]

    assert {answer.status for answer in answers} == {303}
    assert f"={KEYS[0].mark()}.{KEYS[1].mark()};" in cookies[2]
    assert "Path=/console/imports/SW1wb3J0OjE=" in cookies[0]
    assert "HttpOnly" in cookies[0]
    assert f"={KEYS[1].mark()};" in cookies[3]
    assert 'caseroll_left_out="";' in cookies[4]
