"""All rows of an import, its file and its log."""

from __future__ import annotations

from tests.browser.console import Console

ROWS = "case_id,user_id,case_role_id\ntrv-001,jones-001,clients\ntrv-001,who-001,boss\n"


async def test_rows(console: Console) -> None:
    """The figures and fields filter rows; errors stand at their cells."""
    key = console.import_id("Some wrong", ROWS)
    page = console.page
    await console.open(f"imports/{key}/rows")
    everything = await page.locator("tbody tr").count()
    await console.follow(page.locator(".chips >> text=Failed 1"))
    failed = await page.locator("tbody tr").count()
    wrong = await page.locator("td.wrong").all_inner_texts()
    await page.select_option("[name=code]", "NOT_FOUND")
    await console.follow(page.locator("button:has-text('Show')"))
    chosen = await page.locator("tbody tr").count()
    await page.click("text=Show all")
    await page.fill("[name=search]", "JONES")
    await page.press("[name=search]", "Enter")
    await page.locator("td:has-text('jones-001')").wait_for()
    searched = await page.locator("tbody tr").count()

    assert (everything, failed, chosen, searched) == (2, 1, 1, 1)
    assert [cell.split("\n")[0] for cell in wrong] == ["who-001", "boss"]
    assert "User Id: no user has the Tag ID or ID 'who-001'" in wrong[0]


async def test_file(console: Console) -> None:
    """The file comes back as it was, and the failed rows as a table to correct."""
    key = console.import_id("Returned", ROWS.replace("trv-001", "trv-002"))
    page = console.page
    await console.open(f"imports/{key}/file")
    downloads = {}
    for link in (
        "The file as it was uploaded",
        "Failed rows as CSV",
        "as an Excel workbook",
        "All rows with what became of them",
    ):
        async with page.expect_download() as waiting:
            await page.click(f"text={link}")
        download = await waiting.value
        downloads[download.suggested_filename] = await download.path()

    assert sorted(downloads) == [
        "Returned-failed-rows.csv",
        "Returned-failed-rows.xlsx",
        "Returned-results.csv",
        "Returned.csv",
    ]
    assert downloads["Returned.csv"].read_text() == ROWS.replace("trv-001", "trv-002")
