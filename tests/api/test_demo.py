"""The demo data are the same for everyone and fit the sample files."""

from __future__ import annotations

import random

from api.demo import CASES, DEMO_SLUG, USERS, create_demo, demo_cases, demo_users
from models.app import App
from models.assignment import Assignment
from models.case import Case
from models.db import database
from models.user import User


async def test_demo(database_url: str) -> None:
    """jones-001 is on trv-001, jack-001 is not, and everything is of the app `demo`."""
    async with database(database_url):
        app = await create_demo()
        on_first = [
            assignment.user.tag_id
            for assignment in await Assignment.filter(
                app_id=app.id, case__tag_id="trv-001"
            ).select_related("user")
        ]

        assert app.slug == DEMO_SLUG
        assert await Case.filter(app_id=app.id).count() == CASES
        assert await User.filter(app_id=app.id).count() == USERS
        assert "jones-001" in on_first
        assert "jack-001" not in on_first


async def test_demo_is_made_once(database_url: str) -> None:
    """Asked for again, the demo is left as it is, with all that was done to it."""
    async with database(database_url):
        first = await create_demo()
        await Assignment.all().delete()
        second = await create_demo()

        assert first.id == second.id
        assert await Assignment.all().count() == 0
        assert await App.all().count() == 1


def test_same_for_everyone() -> None:
    """The same seed makes the same users and cases, unique where they have to be."""
    users = [demo_users(1, random.Random(7)) for _ in range(2)]
    cases = demo_cases(1, random.Random(7))

    assert [user.email for user in users[0]] == [user.email for user in users[1]]
    assert len({user.email for user in users[0]}) == USERS
    tags = [user.tag_id for user in users[0] if user.tag_id]
    assert len(set(tags)) == len(tags) < USERS
    assert len({case.tag_id for case in cases}) == CASES
    assert any(not user.is_active for user in users[0])
    assert any(not case.is_active for case in cases)
