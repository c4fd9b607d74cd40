"""Imports taken back: rehearsed in three piles, then undone exactly."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.acceptance.program import Place
from tests.browser.console import Console

HEADER = "case_id,user_id,case_role_id\n"


@pytest.fixture(scope="session")
def cases_to_undo(place: Place) -> None:
    """Cases that no other test touches."""
    rows = "".join(f"undo-{number},1,Matter {number}\n" for number in range(1, 6))
    (place.folder / "undo-cases.csv").write_text(f"tag_id,case_status,about\n{rows}")
    place.run("import", "undo-cases.csv", "--type", "add-cases", "--name", "Cases to undo")


@pytest.mark.usefixtures("cases_to_undo")
async def test_undo(console: Console) -> None:
    """Undo rehearses, shows what is reversed and what is kept, and then does exactly that."""
    pairs = "".join(f"undo-{number},jones-001,staff\n" for number in (1, 2, 3))
    key = console.import_id("Too early", HEADER + pairs)
    console.import_id("By another", f"{HEADER}undo-2,jones-001,clients\n", "modify")
    page = console.page
    await console.open(f"imports/{key}")
    await page.click("button:has-text('Undo…')")
    await page.locator(".piles").wait_for()
    piles = [" ".join(text.split()) for text in await page.locator(".piles h2").all_inner_texts()]
    kept = await page.locator(".piles li").all_inner_texts()
    badge = await page.inner_text("h1")
    found = await console.accessibility()

    assert piles == ["Will be reversed 2", "Kept, changed since 1", "Can't be undone 0"]
    assert kept[0].startswith("undo-2 jones-001\n")
    assert "by row 2 of the import 'By another'" in kept[0]
    assert "Rehearsal" in badge
    assert found == []

    await page.click(".heading >> text=Undo exactly this")
    await expect(page.locator(".piles h2").first).to_have_text("Reversed 2")
    removed = await page.locator(".changes li").all_inner_texts()
    await console.open(f"imports/{key}")

    assert len(removed) == 2
    await expect(page.locator(".facts")).to_contain_text("Undone by")
    assert await page.locator("button:has-text('Undo…')").count() == 0

    await console.open(f"imports/{key}/undo")
    assert "It was undone by the import 'Too early (undone)'" in await page.inner_text(".action")


@pytest.mark.usefixtures("cases_to_undo")
async def test_double_click(console: Console) -> None:
    """Two clicks make one import."""
    plan = console.import_id(
        "Applied by two clicks", f"{HEADER}undo-5,jones-001,staff\n", "assign", "--plan"
    )
    page = console.page
    await console.open(f"imports/{plan}/apply")
    await page.dblclick("button:has-text('Apply exactly this')")
    await expect(page.locator("h1")).to_contain_text("Finished")
    await console.open("imports?search=Applied by two clicks")

    assert await page.locator("#imports tr").count() == 2
