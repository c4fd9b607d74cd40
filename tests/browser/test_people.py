"""Assignments, users, cases and history, as an admin meets them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from tests.browser.console import Console


async def href(console: Console, selector: str) -> str:
    """Return where a link leads, below the console's path."""
    address = await console.page.get_attribute(selector, "href")
    assert address
    return address.removeprefix("/console/")


async def screens(console: Console) -> list[str]:
    """Return the addresses of all screens, with a case, user and pair that have a history."""
    await console.open("assignments")
    case, user = [
        await href(console, f"tbody tr:first-child a[href*='/{noun}/']")
        for noun in ("cases", "users")
    ]
    pair = await href(console, "tbody tr:first-child td:last-child a")
    lists = ["assignments", "users", "cases", "history", "history/assignments"]
    return [*lists, case, user, pair, f"{user}/edit", f"{case}/edit", "users/new", "cases/new"]


async def test_keys_lead_to_a_user(console: Console) -> None:
    """With keys alone: search, open what was found, read which cases the user is on."""
    page = console.page
    await console.open("users")
    await page.keyboard.press("/")
    await page.keyboard.type("jones-001")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/users?search=jones-001**")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")

    await expect(page.locator("h1")).to_contain_text("Maria Jones")
    await expect(page.locator("h1")).to_be_focused()
    await expect(page.get_by_role("row", name="trv-001").first).to_contain_text("Clients")


async def test_keys_can_be_turned_off(console: Console) -> None:
    """Who dictates turns single keys off, and they stay so on the next page."""
    page = console.page
    await page.click("text=Turn single keys off")
    await console.open("users")
    await page.press("body", "/")
    is_searching = await page.locator("[name=search]").evaluate("e => e === document.activeElement")
    await page.click("text=Turn single keys on")
    await page.press("body", "/")

    assert not is_searching
    await expect(page.locator("[name=search]")).to_be_focused()


async def test_a_tag_id_is_set_once(console: Console) -> None:
    """A user without a Tag ID gets one; the form says before that it stays, and then offers none.

    What is wrong comes back at its field, with the focus, and nothing typed is lost.
    """
    page = console.page
    await console.open("users/new")
    await page.get_by_label("E-mail").fill("tagless@example.org")
    await page.get_by_label("First name").fill("Tagless")
    await page.get_by_role("button", name="Create user").click()
    await page.get_by_role("link", name="Set it").click()
    tag = page.get_by_label("Tag ID")
    await expect(tag).to_have_accessible_description(
        "Your organisation's own name for this user, as files have it: letters, digits, - / and _."
        " It is permanent: once saved, it can't be changed."
    )
    await tag.fill("jack-001")
    await page.get_by_label("Last name").fill("Typed")
    await page.get_by_role("button", name="Save").click()
    await expect(tag).to_be_focused()
    await expect(page.locator("#tagId-problem1")).to_have_text(
        "Another user has the Tag ID 'jack-001'."
    )
    await expect(page.get_by_label("Last name")).to_have_value("Typed")
    await tag.fill("tagless-001")
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_text("The user is saved.")).to_be_visible()
    await expect(page.locator("h1")).to_contain_text("Tagless Typed")
    await page.get_by_role("link", name="Edit user").click()
    await expect(page.get_by_label("Tag ID")).to_have_count(0)


async def test_closed_cases_are_left(console: Console, tmp_path: Path) -> None:
    """Who is still on closed cases: found by a chip, downloaded as a file that takes them off."""
    page = console.page
    await console.open("assignments")
    await page.get_by_text("Case closed").click()
    await console.follow(page.get_by_role("button", name="Show"))
    total = int((await page.inner_text(".pager span")).split()[0])
    await page.get_by_text(f"Download these {total} assignments as a file").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV, Remove users assigned to cases").click()
    file = tmp_path / "remove.csv"
    await (await download.value).save_as(file)
    header, *rows = file.read_text("utf-8-sig").splitlines()

    assert header == "user_id,case_id,errors"
    assert len(rows) == total
    assert {row.split(",")[1] for row in rows} >= {"trv-010", "trv-020"}


async def test_history_in_a_drawer(console: Console) -> None:
    """A pair's history opens beside the list; Esc gives the list back, at the same place."""
    page = console.page
    await console.open("assignments")
    link = page.locator("tbody tr:nth-child(2) a[data-drawer]")
    await link.focus()
    await page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_role("table")).to_contain_text("Demo: assignments")
    faults = await console.accessibility()
    await page.keyboard.press("Escape")

    assert faults == []
    await expect(drawer).to_have_count(0)
    await expect(link).to_be_focused()
    assert page.url.endswith("/console/assignments")


async def test_history_leads_to_the_import(console: Console) -> None:
    """What was done says by whom, and opens what it was done to."""
    page = console.page
    await console.open("history")
    await page.get_by_label("What").select_option(label="Import started")
    await page.get_by_label("Who").fill("command line")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name="Demo: assignments").click()

    await expect(page.locator("h1")).to_contain_text("Demo: assignments")


async def test_without_scripts(console: Console, browser: Browser) -> None:
    """Lists, pages and forms work without scripts, after the token is pasted."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{console.url}/console/sign-in?next={quote('/console/cases/new')}")
    await page.fill("#token", console.token)
    await page.click("button.main")
    await page.get_by_label("About").fill("Typed without scripts")
    await page.get_by_role("button", name="Create case").click()

    await expect(page.locator("h1")).to_contain_text("Case without a Tag ID")
    await expect(page.locator("dl")).to_contain_text("Typed without scripts")
    await context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
async def test_accessibility(console: Console, scheme: str, width: int) -> None:
    """axe-core finds nothing on any screen, and none is wider than its window."""
    found = {}
    places = await screens(console)
    await console.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await console.page.set_viewport_size({"width": width, "height": 800})
    for place in places:
        await console.open(place)
        beyond = await console.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[place] = [*await console.accessibility(), *(["too wide"] if beyond > 0 else [])]

    assert {place: some for place, some in found.items() if some} == {}
    assert len(found) == 12
