"""The console in Spanish: as the browser prefers it, and by the switch in the footer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.program import Place
from tests.browser.conftest import PATIENCE, watch
from tests.browser.console import Console

HEADER = "case_id,user_id,case_role_id\n"
# More rows than a thousand, whose figure has a separator; the last one fails.
ROWS = HEADER + "trv-171,jack-001,staff\n" * 1_233 + "trv-171,jack-1,staff\n"


@pytest.fixture
async def spanish(place: Place, browser: Browser) -> AsyncIterator[Console]:
    """The console in a Spanish browser, signed in as an admin."""
    context = await browser.new_context(locale="es-ES", timezone_id="Europe/Madrid")
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    console = Console(place, page)
    faults = watch(page, console.url)
    await console.sign_in()
    yield console
    assert faults == []
    await context.close()


async def test_pages_in_spanish(spanish: Console) -> None:
    """Headings, figures and the server's messages are Spanish, and axe finds nothing wrong."""
    page = spanish.page
    made = spanish.import_id("En español", ROWS)
    pages = {
        "imports": "Importaciones",
        "imports/new": "Nueva importación",
        f"imports/{made}/problems": "En español Terminada",
        f"imports/{made}/changes": "En español Terminada",
        "users": "Usuarios",
        "tokens": "Tokens",
    }
    headings, languages, problems = {}, set(), []
    for path in pages:
        await spanish.open(path)
        headings[path] = (await spanish.heading()).split("\n")[0].strip()
        languages.add(await page.get_attribute("html", "lang"))
        problems += await spanish.accessibility()

    assert headings == pages
    assert languages == {"es"}
    assert problems == []
    await spanish.open(f"imports/{made}/problems")
    await expect(page.locator(".sentence")).to_have_text(
        "1 alta, 1.232 sin cambios, 1 con error de 1.234 filas"
    )
    await expect(page.locator(".group-message")).to_contain_text(
        "ningún usuario tiene el Tag ID o ID 'jack-1'; ¿quiso decir 'jack-001'?"
    )


async def test_a_refusal_in_spanish(spanish: Console) -> None:
    """What the server refuses comes back in Spanish at its field."""
    page = spanish.page
    await spanish.open("users/new")
    await page.get_by_label("Correo").fill("nueva@example.org")
    await page.get_by_label("Tag ID").fill("jack-001")
    await page.get_by_role("button", name="Crear usuario").click()

    await expect(page.locator("#tagId-problem1")).to_have_text(
        "Otro usuario tiene el Tag ID 'jack-001'."
    )


async def test_the_switch(console: Console) -> None:
    """The footer's switch changes the language, and leads back to the same page."""
    page = console.page
    await console.open("users?search=jack")
    await page.get_by_role("button", name="Español").click()
    await expect(page.locator("h1")).to_have_text("Usuarios")
    await expect(page).to_have_url(f"{console.url}/console/users?search=jack")
    await page.get_by_role("button", name="English").click()

    await expect(page.locator("h1")).to_have_text("Users")
