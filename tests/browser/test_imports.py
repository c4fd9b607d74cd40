"""Signing in, and the list of imports."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.console import Console

ROWS = "case_id,user_id,case_role_id\ntrv-018,jack-001,staff\n"


async def test_sign_in_by_the_link(console: Console) -> None:
    """The link of `caseroll up` leads to the imports, and the token leaves the address."""
    assert console.page.url == f"{console.url}/console/imports"
    assert await console.heading() == "Imports"
    assert await console.page.inner_text("tbody tr:last-child th") == "Demo: users"


async def test_sign_in_by_the_link_where_the_form_is_open(console: Console) -> None:
    """In the tab with the form, a browser loads nothing for the link: it is followed still."""
    await console.follow(console.page.get_by_text("Sign out"))
    await console.open("sign-in")
    await console.sign_in()

    assert await console.heading() == "Imports"


async def test_sign_out(console: Console) -> None:
    """After signing out, a page leads to the form, and back when the token is pasted."""
    await console.follow(console.page.get_by_text("Sign out"))
    await console.open("imports?status=FAILED")
    await console.page.fill("#token", console.token)
    await console.page.click("button.main")

    await expect(console.page).to_have_url(f"{console.url}/console/imports?status=FAILED")


async def test_new_imports_wait_for_a_click(console: Console) -> None:
    """An import of somebody else is counted above the list, and shown when asked for."""
    rows = await console.page.locator("#imports tr").count()
    console.import_id("Somebody else's", ROWS)
    shown = console.page.get_by_role("button", name="1 new")
    await shown.wait_for()
    before = await console.page.locator("#imports tr").count()
    await shown.click()

    assert before == rows
    assert await console.page.inner_text("#imports tr:first-child th") == "Somebody else's"


async def test_accessibility(console: Console) -> None:
    """axe-core finds nothing in either colour scheme."""
    found = {}
    for scheme in ("light", "dark"):
        await console.page.emulate_media(color_scheme=scheme)
        found[scheme] = await console.accessibility()

    assert found == {"light": [], "dark": []}
