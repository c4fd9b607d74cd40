"""Imports that wait for another person: why, what they would change, released or cancelled."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.acceptance.program import Place
from tests.browser.console import Console


@pytest.fixture
def guarded(place: Place) -> Iterator[None]:
    """A guard for a type that the other tests don't use."""
    place.run("app", "set", "demo", "--release-type", "modify-cases")
    yield
    place.run("app", "set", "demo", "--no-release-types")


@pytest.mark.usefixtures("guarded")
async def test_release(place: Place, console: Console) -> None:
    """The token that uploaded it can't release it; another one sees why it is held, and can."""
    key = console.import_id("Renamed", "case_id,about\ntrv-016,New name\n", "modify-cases")
    page = console.page
    await console.open(f"imports/{key}")
    place_of_it = page.url
    why = await page.inner_text("section:has(#hold)")
    own = await page.locator("text=Release…").count()
    await console.open(f"imports/{key}/release")
    refusal = await page.inner_text(".action")
    made = place.run("token", "create", "--app", "demo", "--name", "second pair of eyes")[1]
    await console.sign_in(made.split()[-1])
    await console.open(f"imports/{key}")
    await page.click("text=Release…")
    said = await page.inner_text(".action")
    found = await console.accessibility()
    await page.click("button:has-text('Release')")
    await expect(page.locator("h1")).to_contain_text("Finished")
    await page.click("text=Log")

    assert place_of_it.endswith("/changes")
    assert "must be released by another token" in why
    assert own == 0
    assert "A colleague with another token has to release it" in refusal
    assert "1 to change" in said
    assert found == []
    rows = [" ".join(each.split()) for each in await page.locator("tbody tr").all_inner_texts()]
    assert any(row.endswith("Released second pair of eyes") for row in rows)


@pytest.mark.usefixtures("guarded")
async def test_released_by_another(place: Place, console: Console) -> None:
    """A page that shows why an import is held follows when another token releases it."""
    key = console.import_id("Released", "case_id,about\ntrv-013,Released\n", "modify-cases")
    made = place.run("token", "create", "--app", "demo", "--name", "third pair of eyes")[1]
    await console.open(f"imports/{key}")
    await console.page.locator("live-updates[data-state=live]").wait_for()
    place.run("release", key, CASEROLL_TOKEN=made.split()[-1])

    await expect(console.page.locator("h1")).to_contain_text("Finished")
    assert await console.page.locator("#hold").count() == 0


@pytest.mark.usefixtures("guarded")
async def test_cancel(console: Console) -> None:
    """Cancelling says what it does before, and that it has ended when it has."""
    key = console.import_id("Never", "case_id,about\ntrv-015,Never\n", "modify-cases")
    page = console.page
    await console.open(f"imports/{key}")
    await page.click("text=Cancel…")
    said = await page.inner_text(".action")
    found = await console.accessibility()
    await page.click("button:has-text('Cancel the import')")
    await expect(page.locator("h1")).to_contain_text("Cancelled")
    await console.open(f"imports/{key}/cancel")

    assert "Nothing of what is planned is applied." in said
    assert found == []
    assert "It has ended" in await page.inner_text(".action")


@pytest.mark.usefixtures("guarded")
async def test_held_while_one_watches(place: Place, console: Console) -> None:
    """When the plan is made, the page that has watched it shows what is to be released."""
    rows = "case_id,about\n" + "trv-017,Watched to the hold\n" * 60_000
    key = console.import_id("Watched until held", rows, "modify-cases", "--no-watch")
    page = console.page
    await console.open(f"imports/{key}")
    await expect(page.locator("#hold")).to_be_visible(timeout=40_000)
    await expect(page).to_have_url(re.compile("/changes$"))
    place.run("cancel", key)

    await expect(page.locator("#hold")).to_be_hidden()
