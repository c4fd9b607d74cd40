"""When the connection goes, and comes back."""

from __future__ import annotations

import os
import signal

from playwright.async_api import expect

from tests.acceptance.program import children_of
from tests.browser.console import Console

ROWS = "case_id,user_id,case_role_id\ntrv-061,jack-001,staff\n"
# What a browser does when a tab is shown or hidden.
SHOW = """(isShown) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => !isShown });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# What a page holds after it was shown many states of the same import.
REPEAT = """async () => {
  const live = document.querySelector("live-updates");
  const html = [...document.querySelectorAll("#imports tr")].map((row) => row.outerHTML).join("");
  const count = () => document.getElementsByTagName("*").length;
  const before = count();
  for (let index = 0; index < 500; index++) {
    const changed = html.replaceAll("</tr>", `<!-- ${index} --></tr>`);
    live.take(`<table data-into="imports"><tbody>${changed}</tbody></table>`);
  }
  return [before, count()];
}"""


async def test_the_api_restarts(console: Console) -> None:
    """The page says that it has lost the connection, finds it again, and asks everything anew."""
    page, state = console.page, console.page.locator("live-updates")
    await expect(state).to_have_attribute("data-state", "live")
    [api] = [
        process
        for process, command in children_of(console.place.process).items()
        if " serve" in command
    ]
    os.kill(api, signal.SIGKILL)
    await expect(state).to_have_attribute("data-state", "lost")
    said = await state.inner_text()
    await expect(state).to_have_attribute("data-state", "live")
    console.import_id("After the restart", ROWS)

    assert said.startswith("Reconnecting… As of ")
    await expect(page.locator("main")).to_contain_text("1 new")


async def test_what_has_happened_meanwhile(console: Console) -> None:
    """A page that was cut off shows what it has missed as soon as it is connected again."""
    page, state = console.page, console.page.locator("live-updates")
    await expect(state).to_have_attribute("data-state", "live")
    # Until it is let through again, the page's stream ends at once.
    await page.route("**/imports/live", lambda route: route.abort())
    await page.evaluate("document.querySelector('live-updates').source.close()")
    await page.evaluate("document.querySelector('live-updates').open()")
    await expect(state).to_have_attribute("data-state", "lost")
    console.import_id("Missed by the page", ROWS)
    await page.unroute("**/imports/live")

    await expect(state).to_have_attribute("data-state", "live")
    await expect(page.locator("#imports")).to_contain_text("Missed by the page")


async def test_a_long_watch(console: Console) -> None:
    """However many states a page was shown, it holds those of the last one."""
    before, after = await console.page.evaluate(REPEAT)

    assert after == before


async def test_an_error_instead_of_the_page(console: Console) -> None:
    """While a proxy answers for the API, the page keeps what it shows, and asks again."""
    page, state = console.page, console.page.locator("live-updates")
    await expect(state).to_have_attribute("data-state", "live")
    await page.route("**/console/imports", lambda route: route.fulfill(status=503, body="away"))
    await page.evaluate(SHOW, False)
    await page.evaluate(SHOW, True)
    await expect(state).to_have_attribute("data-state", "lost")

    assert await console.heading() == "Imports"

    await page.unroute("**/console/imports")
    await expect(state).to_have_attribute("data-state", "live")


async def test_a_silent_connection(console: Console) -> None:
    """A page that has heard nothing for long says that it is cut off, and connects again."""
    page, state = console.page, console.page.locator("live-updates")
    await page.clock.install()
    await console.open("imports")
    await expect(state).to_have_attribute("data-state", "live")
    await page.clock.fast_forward(41_000)
    await expect(state).to_have_attribute("data-state", "lost")
    await page.clock.fast_forward(2_000)

    await expect(state).to_have_attribute("data-state", "live")


async def test_a_hidden_tab(console: Console) -> None:
    """A tab that nobody sees takes no connection, and shows what it has missed when it is seen."""
    page, state = console.page, console.page.locator("live-updates")
    await expect(state).to_have_attribute("data-state", "live")
    await page.evaluate(SHOW, False)
    closed = await page.evaluate("document.querySelector('live-updates').source.readyState")
    console.import_id("While the tab was hidden", ROWS)
    await page.evaluate(SHOW, True)

    assert closed == 2
    await expect(page.locator("#imports")).to_contain_text("While the tab was hidden")


async def test_the_token_ends_while_one_types(console: Console) -> None:
    """What was typed stays on the page, which says what to do, and can be sent all the same."""
    page = console.page
    made = console.place.run("token", "create", "--app", "demo", "--name", "short")[1]
    listed = console.place.run("token", "list")[1].splitlines()
    [number] = [line.split("\t")[0] for line in listed if "\tshort\t" in line]
    await page.context.clear_cookies()
    await console.sign_in(made.split()[-1])
    await console.open("cases/new")
    await page.fill("#about", "Half a sentence")
    await expect(page.locator("live-updates")).to_have_attribute("data-state", "live")
    console.place.run("token", "revoke", number)
    await expect(page.locator("live-updates")).to_contain_text("Your token does not work any more.")

    assert await page.input_value("#about") == "Half a sentence"

    await page.click("button.main")
    await page.fill("#token", console.token)
    await page.click("button.main")
    await page.click("text=Send it now")
    await expect(page.locator("main")).to_contain_text("Half a sentence")


async def test_a_double_click(console: Console) -> None:
    """A double click makes one case."""
    page = console.page
    await console.open("cases/new")
    await page.fill("#about", "Clicked twice")
    await page.locator("button.main").dblclick()
    await page.wait_for_url("**?saved=yes")
    await console.open("cases?search=Clicked+twice")

    assert await page.locator("tbody tr").count() == 1


async def test_refusals_are_pages(console: Console) -> None:
    """An address that leads nowhere says so, and leads on."""
    await console.open("imports/nothing")
    await expect(console.page.locator("h1")).to_have_text("There is no such page")
    await console.page.click("text=Go to the imports")

    assert await console.heading() == "Imports"
