"""Tokens: made for a colleague, who signs in by the link, and revoked."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from tests.browser.console import Console


async def test_a_colleague(console: Console, browser: Browser) -> None:
    """The link of a new token signs in; once it is revoked, it does not any more."""
    page = console.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await console.open("tokens")
    await page.keyboard.press("n")
    await page.get_by_label("Name").fill("Second colleague")
    await page.get_by_role("button", name="Make a token").click()
    await page.get_by_role("button", name="Copy the link").click()
    await page.get_by_role("button", name="Copied").wait_for()
    link = await page.evaluate("navigator.clipboard.readText()")
    problems = await console.accessibility()
    colleague = await (await browser.new_context()).new_page()
    await colleague.goto(link)
    await expect(colleague.locator("header")).to_contain_text("Second colleague")
    await expect(colleague.get_by_role("link", name="New import")).to_have_count(0)
    await console.open("tokens")
    await page.get_by_role("link", name="Revoke Second colleague").click()
    problems += await console.accessibility()
    await page.get_by_role("button", name="Revoke it").click()
    row = page.get_by_role("row", name="Second colleague")
    await expect(row).to_contain_text("Revoked")
    problems += await console.accessibility()
    await colleague.goto(f"{console.url}/console/users")

    await expect(colleague).to_have_url(
        f"{console.url}/console/sign-in?next=%2Fconsole%2Fusers&why=refused"
    )
    assert problems == []
    await colleague.context.close()
