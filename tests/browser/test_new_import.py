"""Making an import: type, file, what the server sees of it, and the upload."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from tests.browser.console import Console

HEADER = "case_id,user_id,case_role_id\n"
# Of the demo's cases none that other tests change.
ROWS = HEADER + "trv-041,jack-001,staff\ntrv-041,jones-001,staff\n"
MADE = re.compile(r"/imports/(?!new)[^/]+")
PASTE = """
text => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}
"""
DROP = """
names => {
  const dataTransfer = new DataTransfer();
  for (const name of names) dataTransfer.items.add(new File(["case_id,user_id"], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
}
"""
LARGE = """
size => {
  const chosen = new DataTransfer();
  chosen.items.add(new File(["x"], "large.csv"));
  Object.defineProperty(chosen.files[0], "size", { value: size });
  const input = document.querySelector("#file");
  Object.defineProperty(input, "files", { value: chosen.files });
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
"""


async def begin(console: Console, kind: str = "assign") -> Page:
    """Open the form as the help page says: New import, and a type."""
    page = console.page
    await console.open("imports")
    await page.click("text=New import")
    await page.locator("file-drop:defined").wait_for()
    await page.check(f"input[name=type][value={kind}]")
    return page


async def choose(page: Page, file: Path) -> None:
    """Choose a file, and wait for what the server sees of it."""
    await page.set_input_files("#file", file)
    await page.locator("#step-seen").wait_for()


async def names_like(console: Console, name: str) -> list[str]:
    """Return the names of imports that begin with one."""
    listed = json.loads(console.place.run("imports", "--json")[1])
    return sorted(each["name"] for each in listed if each["name"].startswith(name))


async def test_from_the_sample_to_a_rehearsal(console: Console) -> None:
    """Type, sample, upload, Rehearse: the flow of the original's help page, without typing."""
    page = await begin(console)
    async with page.expect_download() as download:
        await page.locator(".about:visible").get_by_text("CSV", exact=True).click()
    sample = await (await download.value).path()
    await choose(page, console.file("assign_sample.csv", sample.read_bytes()))

    await expect(page.locator("file-preview")).to_contain_text("The file can be imported.")
    await expect(page.locator("#name")).to_have_value("assign_sample")
    await page.click("text=Rehearse first")
    await page.wait_for_url(MADE)
    await expect(page.locator("h1")).to_contain_text("assign_sample")
    await expect(page.locator(".badge").get_by_text("Rehearsal").first).to_be_visible()


async def test_a_double_click_and_the_way_back(console: Console) -> None:
    """One import is made by a double click, and by going back and sending the same again."""
    page = await begin(console)
    await choose(page, console.file("Once.csv", ROWS.replace("trv-041", "trv-042")))
    await page.dblclick("text=Rehearse first")
    await page.wait_for_url(MADE)
    made = re.search(r"/imports/([^/]+)", page.url)
    await page.go_back()
    await page.locator("#step-seen").wait_for()
    await expect(page.locator("#name")).to_have_value("Once")
    await page.click("text=Rehearse first")
    await page.wait_for_url(MADE)
    again = re.search(r"/imports/([^/]+)", page.url)

    assert made
    assert again
    assert made[1] == again[1]
    assert await names_like(console, "Once") == ["Once"]


async def test_the_same_file_again(console: Console) -> None:
    """A file that has run asks before it runs again, under a name that is free."""
    file = console.file("Twice.csv", ROWS)
    page = await begin(console)
    await choose(page, file)
    await page.click("text=Run now")
    await page.wait_for_url(MADE)
    await begin(console)
    await choose(page, file)
    await page.click("text=Run now")

    await expect(page.get_by_role("dialog")).to_contain_text("imported as “Twice”")
    await expect(page.locator("#name")).to_have_value("Twice (2)")
    await page.keyboard.press("Enter")  # Don't
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert await names_like(console, "Twice") == ["Twice"]
    await page.click("text=Run now")
    await page.get_by_role("button", name="Run it again").click()
    await page.wait_for_url(MADE)
    assert await names_like(console, "Twice") == ["Twice", "Twice (2)"]


async def test_a_wrong_type(console: Console) -> None:
    """The type that was meant is named, and chosen by a click; the preview follows."""
    page = await begin(console, "add-cases")
    await choose(page, console.file("users.csv", "username,given_name\na@example.org,A\n"))
    await page.click("text=Switch to “Add users”")

    await expect(page.locator("file-preview")).to_contain_text("The file can be imported.")
    assert await page.locator("input[value=add-users]").is_checked()


async def test_unknown_columns(console: Console) -> None:
    """A column is named by its suggestion or left out; the next file is offered the same."""
    page = await begin(console)
    content = ROWS.replace("user_id", "user_idd").replace("case_role_id", "Role,case_role_id")
    content = content.replace(",staff", ",x,staff").replace("trv-041", "trv-043")
    await choose(page, console.file("Mapped.csv", content))
    await page.get_by_role("button", name="Use it as user_id").click()
    await expect(page.locator("#use-1")).to_have_value("user_id")
    await page.select_option("#use-2", label="Leave it out")
    await expect(page.locator("file-preview")).to_contain_text("The file can be imported.")
    await page.click("text=Run now")
    await page.wait_for_url(MADE)
    await expect(page.locator("main")).to_contain_text("2 created")
    await begin(console)
    await choose(page, console.file("Mapped again.csv", content.replace("staff", "clients")))
    await page.get_by_role("button", name="Leave the rest out").click()
    await expect(page.locator("#use-1")).to_have_value("-")
    for name in ("#use-1", "#use-2"):
        await page.select_option(name, value="")
    await page.get_by_role("button", name="Say the same again").click()

    await expect(page.locator("file-preview")).to_contain_text("The file can be imported.")
    await expect(page.locator("#use-1")).to_have_value("user_id")


async def test_an_encoding(console: Console) -> None:
    """A file that does not say its encoding is read anew in the one that is chosen."""
    page = await begin(console, "add-cases")
    await choose(page, console.file("names.csv", "tag_id,about\nzo-1,Zoé\n".encode("cp1252")))
    assert "Zoé" not in await page.inner_text("file-preview")
    await page.click("#read-as-windows-1252")

    await expect(page.locator("file-preview")).to_contain_text("Zoé")
    await expect(page.locator("#encoding")).to_have_value("windows-1252")
    await expect(page.locator("#read-as-windows-1252")).to_be_focused()


async def test_what_is_dropped_and_pasted(console: Console) -> None:
    """Rows of a spreadsheet become a file; two files at once, and a large one, are refused."""
    page = await begin(console)
    await page.evaluate(DROP, ["one.csv", "two.csv"])
    await expect(page.locator("#problem-file")).to_have_text("Drop one file at a time.")
    await page.evaluate(PASTE, ROWS.replace(",", "\t"))
    await expect(page.locator("file-preview")).to_contain_text("Cells separated by tabs")
    await expect(page.locator("#name")).to_have_value("Pasted rows")
    await expect(page.locator("#problem-file")).to_be_empty()
    await page.evaluate(DROP, ["dropped.csv"])
    await expect(page.locator("#name")).to_have_value("dropped")
    await page.evaluate(LARGE, 600 * 1024 * 1024)
    await expect(page.locator("#problem-file")).to_contain_text("“large.csv” is too large")


async def test_problems_come_back_to_their_fields(console: Console) -> None:
    """What the server refuses is said in place; the file and what was typed stay."""
    page = await begin(console)
    await choose(page, console.file("Refused.csv", ROWS))
    await page.click("summary >> text=Options")
    await page.fill("#notify", "nobody")
    await page.click("text=Rehearse first")

    await expect(page.locator("#problem-notify")).to_contain_text("'nobody' is not an e-mail")
    await expect(page.locator("#problems a")).to_be_focused()
    assert await page.get_attribute("#notify", "aria-invalid") == "true"
    assert await page.evaluate("document.querySelector('#file').files.length") == 1
    assert await console.accessibility() == []
    await page.fill("#notify", "")
    await page.click("text=Rehearse first")
    await page.wait_for_url(MADE)


async def test_a_connection_that_ends(console: Console) -> None:
    """An upload that breaks off says so; the same form is sent again. Stop ends one."""
    page = await begin(console)
    await choose(page, console.file("Broken.csv", ROWS))
    held: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/imports/new", held.put)
    await page.click("text=Rehearse first")
    await (await held.get()).abort()
    await expect(page.locator("#problem-upload")).to_contain_text("The connection was lost")
    await page.click("text=Rehearse first")
    await held.get()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator("#problem-upload")).to_contain_text("Stopped")
    await page.unroute("**/imports/new")
    await page.click("text=Rehearse first")
    await page.wait_for_url(MADE)

    assert await names_like(console, "Broken") == ["Broken"]


async def test_a_token_that_ends(console: Console) -> None:
    """A token that does not work any more loses nothing: sign in in another tab, and go on."""
    page = await begin(console)
    await choose(page, console.file("Kept.csv", ROWS))
    await page.fill("#name", "Kept name")
    await page.context.clear_cookies()
    await page.click("text=Rehearse first")
    await expect(page.locator("#signed-out")).to_be_visible()
    other = await page.context.new_page()
    await Console(console.place, other).sign_in()
    await page.click("text=Rehearse first")
    await page.wait_for_url(MADE)

    assert await names_like(console, "Kept") == ["Kept name"]


async def test_without_scripts(console: Console, browser: Browser) -> None:
    """A plain form makes the import, and comes back with what is wrong."""
    context = await browser.new_context(
        java_script_enabled=False, storage_state=await console.page.context.storage_state()
    )
    page = await context.new_page()
    await page.goto(f"{console.url}/console/imports/new?type=assign")
    await page.set_input_files("#file", console.file("plain.csv", "what,ever\n1,2\n"))
    await page.fill("#name", "Plain form")
    await page.click("text=Rehearse first")
    await expect(page.locator("#problem-file")).to_be_visible()
    assert await page.input_value("#name") == "Plain form"
    await page.set_input_files("#file", console.file("plain.csv", ROWS))
    await page.click("text=Rehearse first")
    await page.wait_for_url(MADE)
    await context.close()

    assert await names_like(console, "Plain") == ["Plain form"]


async def test_accessibility(console: Console) -> None:
    """axe-core finds nothing in either colour scheme, and nothing is wider than a phone."""
    page = await begin(console)
    await choose(page, console.file("Looked at.csv", ROWS.replace("user_id", "user_idd")))
    await page.click("summary >> text=Options")
    found = {}
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found[scheme] = await console.accessibility()
    await page.set_viewport_size({"width": 320, "height": 800})
    over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert found == {"light": [], "dark": []}
    assert over <= 0
