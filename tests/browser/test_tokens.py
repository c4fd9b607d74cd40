"""Tokens: made for a colleague, who signs in by the link, and revoked."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, expect

from tests.browser.console import Console

CREATE = """
mutation { createToken(input: { name: "Ends soon", permission: ADMIN }) { token { id } secret } }
"""
REVOKE = "mutation ($id: ID!) { revokeToken(id: $id) { userErrors { message } } }"


async def ask(console: Console, query: str, **variables: str) -> dict[str, Any]:
    """Run a mutation of one field with the admin's token, and return its payload."""
    answer = await console.page.request.post(
        f"{console.url}/graphql",
        headers={"Authorization": f"Bearer {console.token}"},
        data={"query": query, "variables": variables},
    )
    [payload] = (await answer.json())["data"].values()
    return dict(payload)


async def test_a_colleague(console: Console, browser: Browser) -> None:
    """The link of a new token signs in; once it is revoked, it does not any more."""
    page = console.page
    await console.open("tokens")
    await page.keyboard.press("n")
    await page.get_by_label("Name").fill("Second colleague")
    await page.get_by_role("button", name="Make a token").click()
    link = await page.get_by_label("Link to sign in").input_value()
    problems = await console.accessibility()
    await page.reload()
    await expect(page.get_by_role("heading", name="A token is shown once")).to_be_visible()
    problems += await console.accessibility()
    colleague = await (await browser.new_context()).new_page()
    await colleague.goto(link)
    await expect(colleague.locator("header")).to_contain_text("Second colleague")
    await expect(colleague.get_by_role("link", name="New import")).to_have_count(0)
    await console.open("tokens")
    await console.follow(page.get_by_role("link", name="Revoke Second colleague"))
    problems += await console.accessibility()
    await page.get_by_role("button", name="Revoke it").click()
    row = page.get_by_role("row", name="Second colleague")
    await expect(row).to_contain_text("Revoked")
    problems += await console.accessibility()
    # The page finds out by itself; another address would be in the way of that.
    await colleague.wait_for_url("**/sign-in?**")
    await colleague.goto(f"{console.url}/console/users")

    await expect(colleague).to_have_url(
        f"{console.url}/console/sign-in?next=%2Fconsole%2Fusers&why=refused"
    )
    assert problems == []
    await colleague.context.close()


async def test_a_token_ends_while_one_types(console: Console) -> None:
    """The page says so and keeps what was typed, which is sent after signing in again."""
    page = console.page
    made = await ask(console, CREATE)
    await console.sign_in(made["secret"])
    await console.open("cases/new")
    await page.get_by_label("About").fill("Typed before the token ended")
    await expect(page.locator("live-updates")).to_have_attribute("data-state", "live")
    await ask(console, REVOKE, id=made["token"]["id"])
    await page.locator("live-updates").get_by_text("does not work any more").wait_for()
    await page.get_by_role("button", name="Create case").click()
    await page.get_by_label("Token").fill(console.token)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Send it now").click()

    await expect(page.locator("dl")).to_contain_text("Typed before the token ended")
