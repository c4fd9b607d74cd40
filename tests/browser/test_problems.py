"""The tab of problems: groups mended at once, rows edited and tried again, refused files."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.console import Console

HEADER = "case_id,user_id,case_role_id\n"
MISSPELT = "jack-1"
GROUP = f"no user has the Tag ID or ID '{MISSPELT}'"


def rows_of(first_case: int, user: str, count: int) -> str:
    return "".join(f"trv-{first_case + each:03d},{user},staff\n" for each in range(count))


async def test_mend_a_group(console: Console) -> None:
    """A suggestion is shown in the first rows before it runs in all of them."""
    page = console.page
    rows = HEADER + rows_of(101, MISSPELT, 7) + rows_of(108, "jack-001", 1)
    await console.open(f"imports/{console.import_id('A group', rows)}")
    await page.get_by_role("link", name=GROUP).click()
    await console.follow(page.get_by_role("link", name="Use “jack-001” in all 7"))
    preview = await page.locator("#replacement tbody tr").all_inner_texts()
    await page.get_by_role("button", name="Try all 7 rows with it").click()

    await expect(page.locator(".sentence")).to_have_text("8 created of 8 rows")
    assert preview[0].split("\t") == ["2", "trv-101", "jack-1 jack-001", "staff"]
    assert len(preview) == 5


async def test_replace_by_a_user_who_is_looked_up(console: Console) -> None:
    """Users are looked up by their names while one types."""
    page = console.page
    rows = HEADER + rows_of(111, "who-knows", 2)
    await console.open(f"imports/{console.import_id('Looked up', rows)}")
    await page.get_by_role("link", name="'who-knows'").click()
    await page.get_by_label("Replace by").press_sequentially("jack")
    await page.locator("datalist option[value='jack-001']").wait_for(state="attached")
    await page.get_by_label("Replace by").fill("jack-001")
    await page.get_by_role("button", name="Show what it would change").click()
    await page.get_by_role("button", name="Try all 2 rows with it").click()

    await expect(page.locator(".sentence")).to_have_text("2 created of 2 rows")


async def test_signed_out_while_one_types(console: Console) -> None:
    """Without a session the look-up says so in words, and what was typed stays."""
    page = console.page
    await console.open(f"imports/{console.import_id('Signed out', HEADER + rows_of(132, 'q', 1))}")
    await console.follow(page.get_by_role("link", name="'q'"))
    await page.context.clear_cookies()
    await page.get_by_label("Replace by").press_sequentially("jack")

    await expect(page.locator("entity-lookup [role=alert]")).to_contain_text("You are signed out.")
    await expect(page.get_by_role("link", name="Sign in in another tab")).to_be_visible()
    await expect(page.get_by_label("Replace by")).to_have_value("jack")


async def test_leave_a_group_out(console: Console) -> None:
    """Rows that are left out are counted apart; the others run again without them."""
    page = console.page
    rows = HEADER + rows_of(113, "not-here", 2) + rows_of(113, "gone-too", 1)
    await console.open(f"imports/{console.import_id('Left out', rows)}")
    await page.get_by_role("link", name="'not-here'").click()
    await console.follow(page.get_by_role("button", name="Leave these rows out"))
    left = await page.locator(".failed-rows tbody tr").count()
    await page.reload()
    await expect(page.get_by_role("region", name="Left out")).to_contain_text("2 rows")
    await expect(page.get_by_role("heading", name="1 kind of problem")).to_be_visible()
    problems = await console.accessibility()
    await console.follow(page.get_by_role("button", name="Try all others again"))
    await expect(page.get_by_role("region", name="Left out")).to_contain_text("2 rows")
    await page.get_by_role("link", name="Log").click()
    await expect(page.locator("tbody")).to_contain_text("Failed rows tried again")
    await page.go_back()
    await page.get_by_role("button", name="Take back in").click()

    await expect(page.locator(".failed-rows tbody tr")).to_have_count(3)
    await expect(page.get_by_role("button", name="Try all 3 again")).to_be_visible()
    assert (left, problems) == (1, [])


async def test_edit_by_keyboard_and_reload(console: Console) -> None:
    """Cells are edited by keys alone; edits survive a reload, and only their rows run again."""
    page = console.page
    rows = HEADER + rows_of(116, "typo-1", 1) + rows_of(116, "typo-2", 1) + rows_of(116, "t", 1)
    await console.open(f"imports/{console.import_id('By keyboard', rows)}")
    await page.locator("[role=grid] [tabindex='0']").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.type("jack-001")
    await page.keyboard.press("Tab")
    await page.keyboard.press("F2")
    await page.keyboard.type("lee-008")
    await page.keyboard.press("Escape")
    await page.keyboard.type("lee-008")
    await page.keyboard.press("Enter")
    await page.reload()
    edited = await page.locator("td.edited").all_inner_texts()
    await page.get_by_role("button", name="Try these 2 rows again").click()

    await expect(page.locator(".sentence")).to_have_text("2 created, 1 failed of 3 rows")
    await expect(page.locator("rows-editor form")).to_be_hidden()
    assert [text.split("\n")[0] for text in edited] == ["jack-001 was typo-1", "lee-008 was typo-2"]


async def test_give_an_edit_back(console: Console) -> None:
    """Esc on an edited cell gives its old text back."""
    page = console.page
    await console.open(f"imports/{console.import_id('Given back', HEADER + rows_of(119, 'x', 1))}")
    await page.locator("[role=grid] [tabindex='0']").focus()
    await page.keyboard.type("jack-001")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Try this 1 row again")).to_be_visible()
    await page.keyboard.press("Escape")

    await expect(page.locator("rows-editor form")).to_be_hidden()
    await expect(page.locator("td.edited")).to_have_count(0)


async def test_a_refused_retry_loses_nothing(console: Console) -> None:
    """That a row has passed meanwhile is said in words; edits of the others are still there."""
    page = console.page
    identity = console.import_id("Meanwhile", HEADER + rows_of(126, "y", 2))
    await console.open(f"imports/{identity}")
    await page.locator("[role=grid] [tabindex='0']").focus()
    await page.keyboard.type("jack-001")
    await page.keyboard.press("Tab")
    await page.keyboard.type("jack-001")
    await page.keyboard.press("Enter")
    other = await page.context.new_page()
    await other.goto(page.url + "?edit=2")
    await other.get_by_label("user_id").fill("jack-001")
    await other.get_by_role("button", name="Try this row again").click()
    await expect(other.locator(".sentence")).to_have_text("1 created, 1 failed of 2 rows")
    await page.get_by_role("button", name="Try these 2 rows again").click()
    await expect(page.locator("#refused")).to_have_text(
        "Row 2 has not failed; only failed rows are run again."
    )
    await page.get_by_role("button", name="Try this 1 row again").click()

    await expect(page.locator(".sentence")).to_have_text("2 created of 2 rows")


async def test_without_a_script(console: Console, browser: Browser) -> None:
    """A row is edited in a form, and a refusal comes back with what was typed."""
    identity = console.import_id("No script", HEADER + rows_of(122, "z", 2))
    context = await browser.new_context(java_script_enabled=False)
    await context.add_cookies(await console.page.context.cookies())
    page = await context.new_page()
    await page.goto(f"{console.url}/console/imports/{identity}")
    await page.get_by_role("link", name="2", exact=True).click()
    await page.get_by_label("user_id").fill("jack-001")
    async with page.expect_navigation():
        await page.get_by_role("button", name="Try this row again").click()
    await page.goto(f"{console.url}/console/imports/{identity}/rows")
    await page.goto(f"{console.url}/console/imports/{identity}/problems")

    await expect(page.locator(".failed-rows tbody tr")).to_have_count(1)
    await context.close()


async def test_a_row_that_is_too_long(console: Console) -> None:
    """The form sends such a row whole, so that what is beyond the header goes."""
    page = console.page
    rows = HEADER + "trv-133,jack-001,staff,again\n" + rows_of(133, "r", 1)
    await console.open(f"imports/{console.import_id('Too long', rows)}")
    await page.get_by_role("link", name="2", exact=True).click()
    await page.get_by_role("button", name="Try this row again").click()

    await expect(page.locator(".sentence")).to_have_text("1 created, 1 failed of 2 rows")


async def test_refused_file(console: Console) -> None:
    """A refused file has one panel: what is wrong, and what to do."""
    page = console.page
    identity = console.import_id("Refused", HEADER + "trv-001,jack-001,staff\n" * 60_000 + 'a,"b')
    await console.open(f"imports/{identity}")

    await expect(page.get_by_role("heading", name="The file was refused")).to_be_visible()
    await expect(page.get_by_role("link", name="Import the corrected file")).to_be_visible()
    assert page.url.endswith("/problems")


async def test_a_thousand_groups(console: Console) -> None:
    """Groups and rows are paged; a page stays small."""
    page = console.page
    rows = HEADER + "".join(f"trv-124,nobody-{each:04d}x,staff\n" for each in range(1_000))
    await console.open(f"imports/{console.import_id('Groups', rows)}/problems")
    size = len(await page.content())
    await page.get_by_role("link", name="Smaller →").click()

    await expect(page.locator("#groups-heading")).to_have_text("1,000 kinds of problems")
    await expect(page.locator(".group").first).to_contain_text("nobody-0025x")
    assert size < 100_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_accessibility(console: Console, scheme: str) -> None:
    """axe-core finds nothing on the tab, on a group that is opened, and on a row's form."""
    page = console.page
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    identity = console.import_id(f"Axe {scheme}", HEADER + rows_of(128, "jack-1", 2))
    found = {}
    await console.open(f"imports/{identity}/problems")
    found["tab"] = await console.accessibility()
    await console.follow(page.get_by_role("link", name=GROUP))
    found["group"] = await console.accessibility()
    await console.follow(page.get_by_role("link", name="Use “jack-001”"))
    found["replacement"] = await console.accessibility()
    await console.open(f"imports/{identity}/problems")
    await console.follow(page.get_by_role("link", name="2", exact=True))
    found["form"] = await console.accessibility()

    assert found == {"tab": [], "group": [], "replacement": [], "form": []}
