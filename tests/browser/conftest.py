"""A real browser and a real `caseroll up --demo`; tests are skipped where there is no browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.acceptance.program import Place, until_ready
from tests.browser.console import Console

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# A machine with much else to do is slow; a page that is wrong still fails its test.
PATIENCE = 30_000
# Without these, Chromium asks servers of its maker at every start.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make pictures` asks for."""
    parser.addoption("--pictures", action="store_true", help="write docs/pictures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder where no Chromium is on the path."""
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="there is no Chromium: apt-get install chromium")
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Demo data, as new; each test imports something that the others do not touch."""
    place = Place(tmp_path_factory.mktemp("console"))
    up = place.start("up", "--demo")
    place.process = up.pid
    with until_ready(up):
        yield place


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests; each has a context of its own."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Cookies and storage as in a browser that was just installed."""
    context = await browser.new_context(locale="en-GB", timezone_id="Europe/Madrid")
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


@pytest.fixture
async def console(place: Place, context: BrowserContext) -> AsyncIterator[Console]:
    """The console, signed in as an admin by the link of `caseroll up`.

    A page that has an error in a script, or asks another server for anything, fails its test.
    """
    page = await context.new_page()
    console = Console(place, page)
    faults = watch(page, console.url)
    await console.sign_in()
    yield console
    assert faults == []


def watch(page: Page, url: str) -> list[str]:
    """Collect errors of a page's scripts, and requests to other servers."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if re.match(f"{url}/|data:|blob:", request.url) else faults.append(request.url)
        ),
    )
    return faults
