"""What an import would change, and has changed: looked at, filtered, applied exactly."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.program import Place
from tests.browser.console import Console

HEADER = "case_id,user_id,case_role_id,case_notify\n"


@pytest.fixture(scope="session")
def own_cases(place: Place) -> None:
    """Cases that no other test touches."""
    rows = "".join(f"plan-{number},1,Matter {number}\n" for number in range(1, 10))
    (place.folder / "own-cases.csv").write_text(f"tag_id,case_status,about\n{rows}")
    place.run("import", "own-cases.csv", "--type", "add-cases", "--name", "Own cases")


async def lines(console: Console) -> list[str]:
    """The changes on the page, as they are read."""
    texts = await console.page.locator(".changes li").all_inner_texts()
    return [" ".join(text.split()) for text in texts]


@pytest.mark.usefixtures("own_cases")
async def test_rehearse_and_apply(console: Console) -> None:
    """A rehearsal shows its changes by case and by user, and ends in applying just these."""
    console.import_id("Before", f"{HEADER}plan-1,jones-001,clients,0\nplan-2,lee-008,staff,0\n")
    rows = f"{HEADER}plan-1,jones-001,staff,0\nplan-2,lee-008,clients,0\nplan-2,nobody,staff,0\n"
    plan = console.import_id("Promotions", rows, "modify", "--plan")
    page = console.page
    await console.open(f"imports/{plan}/changes")
    by_case = await lines(console)
    await console.follow(page.get_by_text("By user"))
    by_user = await lines(console)
    subjects = await page.locator(".changes h2 > a").all_inner_texts()
    warnings = await page.inner_text("section.notice")
    found = await console.accessibility()

    assert by_case == [
        "~ Changed: jones-001 clients → staff row 2",
        "~ Changed: lee-008 staff → clients row 3",
    ]
    assert by_user == [
        "~ Changed: plan-1 clients → staff row 2",
        "~ Changed: plan-2 staff → clients row 3",
    ]
    assert subjects == ["jones-001", "lee-008"]
    assert "1 assignment would change from clients to staff." in warnings
    assert found == []

    await page.click(".heading >> text=Apply exactly this")
    said = await page.inner_text(".action")
    found = await console.accessibility()
    await page.fill("#name", "Promotions for good")
    await page.click("button:has-text('Apply exactly this')")
    await expect(page.locator("h1")).to_contain_text("Promotions for good")
    await expect(page.locator(".sentence")).to_have_text("2 changed of 2 rows")

    assert "2 to change" in said
    assert "1 row has failed in the rehearsal and is left out." in said
    assert found == []
    assert await lines(console) == by_case

    await console.open(f"imports/{plan}/apply")
    assert "This was applied already, as Promotions for good." in await page.inner_text(".action")
    assert await page.locator(".action button").count() == 0


@pytest.mark.usefixtures("own_cases")
async def test_changed_since(console: Console) -> None:
    """A rehearsal says of which changes something else has changed the same since."""
    plan = console.import_id("Late", f"{HEADER}plan-3,jones-001,staff,0\n", "assign", "--plan")
    console.import_id("Faster", f"{HEADER}plan-3,jones-001,clients,0\n")
    page = console.page
    await console.open(f"imports/{plan}/changes")
    before = await lines(console)
    await page.click(".heading >> text=Apply exactly this")
    await page.click("button:has-text('Apply exactly this')")
    notice = page.locator(".notice", has_text="1 row: not applied")
    await notice.locator("a").click()

    assert before == [
        "+ Added: jones-001 staff changed since: will be left as it is row 2",
    ]
    assert "changed since, by row 2 of the import 'Faster'" in await page.inner_text("tbody tr")


async def test_pages_and_filters(console: Console) -> None:
    """The figures on top filter; a page has fifty changes."""
    rows = "".join(f"many{number}@example.org\n" for number in range(120))
    key = console.import_id("Many users", f"username\n{rows}", "add-users")
    page = console.page
    await console.open(f"imports/{key}/changes")
    await console.follow(page.locator("text=120 added"))
    shown = await page.locator(".changes li").count()
    await console.follow(page.locator("text=More →"))
    rest = await page.locator(".changes li").count()

    assert (shown, rest) == (50, 50)
    assert await page.inner_text(".chips li:has-text('added') [aria-current]") == "120 added"


@pytest.mark.usefixtures("own_cases")
async def test_without_javascript(place: Place, browser: Browser) -> None:
    """A plan is applied without JavaScript, at 320 pixels, without scrolling sideways."""
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 700}, locale="en-GB"
    )
    console = Console(place, await context.new_page())
    plan = console.import_id("No script", f"{HEADER}plan-5,jack-001,staff,1\n", "assign", "--plan")
    page = console.page
    await console.open(f"imports/{plan}/changes")
    await page.fill("#token", console.token)
    await page.click("button.main")
    await page.locator(".changes").wait_for()
    before = await lines(console)
    await page.click(".heading >> text=Apply exactly this")
    await console.follow(page.get_by_role("button", name="Apply exactly this"))
    heading = await console.heading()
    await context.close()

    assert before == ["+ Added: jack-001 staff with a mail row 2"]
    assert heading.startswith("No script")


@pytest.mark.parametrize("tab", ["changes", "rows", "file", "log"])
async def test_tabs(console: Console, tab: str) -> None:
    """Each tab is accessible in both colour schemes, and fits 320 pixels."""
    await console.open(f"imports/{console.find_import('Demo: users')}/{tab}")
    found = {}
    for scheme in ("light", "dark"):
        await console.page.emulate_media(color_scheme=scheme)
        found[scheme] = await console.accessibility()
    await console.page.set_viewport_size({"width": 320, "height": 700})
    sideways = await console.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert found == {"light": [], "dark": []}
    assert sideways <= 0


async def test_viewer(place: Place, console: Console) -> None:
    """A token that may only read sees everything but the buttons."""
    made = place.run("token", "create", "--app", "demo", "--name", "reader", "--viewer")[1]
    key = console.find_import("Demo: users")
    await console.sign_in(made.split()[-1])
    await console.open(f"imports/{key}/changes")
    buttons = await console.page.locator("main button, main .button").count()
    await console.open(f"imports/{key}/log")
    log = await console.page.inner_text("tbody")
    await console.open(f"imports/{key}/undo")

    assert buttons == 0
    assert "Uploaded" in log
    assert "Your token may only read." in await console.page.inner_text(".action")
