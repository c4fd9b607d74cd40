"""The steps that a help page would list, for each of the three types: sample, upload, result."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.console import Console

# The rows of the samples, each with a column wrong, and the sentence at it.
WRONG = {
    "assign": ("jack-001", "jack-01"),
    "modify": ("jones-001", "jones-01"),
    "remove": ("jones-001", "jones-01"),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_steps(console: Console, kind: str) -> None:
    """New import, type, sample, upload, name, rehearse, result; then a wrong one, and its row."""
    page = console.page
    right, wrong = WRONG[kind]
    await page.click("text=New import")
    await page.locator("file-drop:defined").wait_for()
    await page.check(f"input[name=type][value={kind}]")
    async with page.expect_download() as download:
        await page.locator(".about:visible").get_by_text("CSV", exact=True).click()
    sample = (await (await download.value).path()).read_text()
    await page.set_input_files("#file", console.file(f"{kind} June.csv", sample))
    await page.locator("#step-seen").wait_for()
    await page.fill("#name", f"June, {kind}")
    await page.click("text=Rehearse first")
    await page.wait_for_url(re.compile(r"/imports/(?!new)"))
    await expect(page.locator("h1")).to_contain_text(f"June, {kind}")
    await expect(page.locator(".status").first).to_have_text("Finished")
    good = await page.inner_text(".sentence")

    await console.open("imports/new")
    await page.locator("file-drop:defined").wait_for()
    await page.check(f"input[name=type][value={kind}]")
    mistaken = sample.replace(right, wrong)
    await page.set_input_files("#file", console.file(f"{kind} July.csv", mistaken))
    await page.locator("#step-seen").wait_for()
    await page.fill("#name", f"July, {kind}")
    await page.click("text=Rehearse first")
    await page.wait_for_url(re.compile(r"/imports/(?!new).*/problems"))

    assert "of 1 row" in good
    assert "failed" not in good
    await expect(page.locator("td.wrong, td[aria-invalid=true]").first).to_contain_text(
        f"no user has the Tag ID or ID '{wrong}'; did you mean '{right}'?"
    )
