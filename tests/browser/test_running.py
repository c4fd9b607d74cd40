"""An import that runs: its figures, its title, its first failed rows, and its end."""

from __future__ import annotations

import re

from playwright.async_api import Browser, expect

from tests.browser.console import Console

HEADER = "case_id,user_id,case_role_id\n"
ROWS = 150_000
WATCH = """() => {
  window.said = [];
  const region = document.getElementById("announce");
  const hear = () => window.said.push(region.textContent);
  new MutationObserver(hear).observe(region, {childList: true});
}"""


async def test_watch_an_import(console: Console, browser: Browser) -> None:
    """Figures, title and failed rows come by themselves; without scripts the page loads again."""
    page = console.page
    rows = HEADER + "trv-131,nobody-1,staff\n" + "trv-131,jack-001,staff\n" * (ROWS - 1)
    identity = console.import_id("Watched", rows, "assign", "--dry-run", "--no-watch")
    plain = await browser.new_context(java_script_enabled=False)
    await plain.add_cookies(await page.context.cookies())
    without_script = await plain.new_page()
    await console.open(f"imports/{identity}")
    await page.evaluate(WATCH)
    await without_script.goto(page.url)
    running = await without_script.title()
    first = page.locator("#first-failed")
    await expect(first).to_contain_text("no user has the Tag ID or ID 'nobody-1'")
    await expect(page).to_have_title(re.compile(r"^[1-9]\d*% · Watched"))
    await expect(page.locator("#progress")).to_contain_text("rows a second")
    await expect(page.locator("#announce")).to_have_text(re.compile("^(25|50|75)% done$"))
    said = await page.evaluate("window.said")

    await expect(page).to_have_url(re.compile("/problems$"), timeout=40_000)
    await expect(page.locator(".sentence")).to_contain_text("1 failed of 150,000 rows")
    await expect(without_script.locator(".sentence")).to_contain_text("1 failed")
    assert "% ·" in running
    assert len(said) == len(set(said))
    await plain.close()


async def test_the_focus_stays(console: Console) -> None:
    """When the end of an import changes its page, the keyboard goes on from where it was."""
    page = console.page
    rows = HEADER + "trv-132,jack-001,staff\n" * 60_000
    identity = console.import_id("Focus kept", rows, "assign", "--dry-run", "--no-watch")
    await console.open(f"imports/{identity}/file")
    await page.get_by_role("link", name="Log").focus()
    await expect(page.locator("h1")).to_contain_text("Running")
    await expect(page.locator("h1")).to_contain_text("Finished", timeout=40_000)

    assert await page.evaluate("document.activeElement.textContent") == "Log"


async def test_rows_can_be_edited_at_the_end(console: Console) -> None:
    """Failed rows that come into the page when the import ends are edited as on any page."""
    rows = HEADER + "trv-134,nobody-1,staff\n" + "trv-134,jack-001,staff\n" * 60_000
    identity = console.import_id("Edited at the end", rows, "assign", "--dry-run", "--no-watch")
    await console.open(f"imports/{identity}/problems")
    await expect(console.page.locator("h1")).to_contain_text("Running")

    await expect(console.page.get_by_role("grid")).to_be_visible(timeout=40_000)


async def test_on_paper(console: Console) -> None:
    """A plan that is printed has what is read, and nothing that is pressed."""
    page = console.page
    plan = console.import_id("Printed", HEADER + "trv-136,jack-001,staff\n", "assign", "--plan")
    await console.open(f"imports/{plan}/changes")
    await page.emulate_media(media="print")

    await expect(page.locator(".changes")).to_contain_text("jack-001")
    await expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    await expect(page.get_by_role("link", name="Apply exactly this")).to_have_count(0)
