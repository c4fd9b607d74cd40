"""The pictures of the documentation: made of the demo, and small enough for a repository.

`make pictures` writes them; without `--pictures` they are made and thrown away.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.console import Console

PICTURES = Path(__file__).parents[2] / "docs/pictures"
MOST_BYTES = 200_000
WIDTH, HEIGHT = 1200, 760
NAMES = ("imports", "new-import", "problems", "changes", "assignments")
WRONG = """case_id,user_id,case_role_id,case_notify
trv-011,jack-001,staff,0
trv-12,jack-001,staff,0
trv-013,jack-001,staf,0
trv-014,jack-001,staf,0
trv-015,smith,staff,0
trv-016,jack-001,staff,0
"""
MOVES = """case_id,user_id,case_role_id,case_notify
trv-001,jones-001,staff,0
trv-001,lee-008,clients,1
trv-002,wright-004,clients,0
trv-003,walker-001,default,0
"""
RIGHT = "case_id,user_id,case_role_id,case_notify\ntrv-021,brown-001,staff,0\n"


@pytest.fixture
async def shown(console: Console) -> Console:
    """An app in which something has happened, in a window of the pictures' size."""
    await console.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    console.import_id("Intake of May", RIGHT)
    console.import_id("Smith v. Harbor", WRONG)
    console.import_id("Team change in June", MOVES, "modify", "--dry-run")
    return console


async def test_pictures(shown: Console, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Each picture that the documentation shows can be made, and is small."""
    folder = PICTURES if pytestconfig.getoption("pictures") else tmp_path
    wrong, moves = shown.find_import("Smith v. Harbor"), shown.find_import("Team change in June")
    places = {
        "imports": "imports",
        "problems": f"imports/{wrong}/problems",
        "changes": f"imports/{moves}/changes",
        "assignments": "assignments",
    }
    for name, place in places.items():
        await shown.open(place)
        await shown.page.locator("live-updates[data-state=live]").wait_for()
        await shown.page.screenshot(path=folder / f"{name}.png")
    await shown.open("imports/new?type=assign")
    await shown.page.set_input_files("input[type=file]", shown.file("june.csv", WRONG))
    await shown.page.locator("text=trv-12").first.wait_for()
    await shown.page.locator("input[type=file]").scroll_into_view_if_needed()
    await shown.page.screenshot(path=folder / "new-import.png")
    sizes = {path.stem: path.stat().st_size for path in folder.glob("*.png")}

    assert set(sizes) == set(NAMES)
    assert max(sizes.values()) < MOST_BYTES


def test_the_documentation_has_them() -> None:
    """Each picture is shown somewhere, and none that is shown is missing."""
    root = PICTURES.parent
    texts = "".join(
        path.read_text("utf-8") for path in (*root.glob("*.md"), root.parent / "README.md")
    )

    assert {path.stem for path in PICTURES.glob("*.png")} == set(NAMES)
    assert all(f"pictures/{name}.png" in texts for name in NAMES)
