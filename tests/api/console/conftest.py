"""Browsers of an admin, a viewer, and of nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.api_fixture import Api
from tests.api.console.browser import Browser, open_browser


@pytest.fixture
async def stranger(api: Api) -> AsyncIterator[Browser]:
    """A browser that has not signed in."""
    async with open_browser(api) as browser:
        yield browser


@pytest.fixture
async def admin(api: Api) -> AsyncIterator[Browser]:
    """A browser that is signed in with an admin's token."""
    async with open_browser(api) as browser:
        await browser.sign_in(api.world.admin)
        yield browser


@pytest.fixture
async def viewer(api: Api) -> AsyncIterator[Browser]:
    """A browser that is signed in with a token that may only read."""
    async with open_browser(api) as browser:
        await browser.sign_in(api.world.viewer)
        yield browser
