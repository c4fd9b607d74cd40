"""The caps hold for the app's last hour and for each import."""

from typing import Any

from importers.builtin.assign import AssignUsers
from importers.builtin.remove import RemoveUsers
from importers.testing import World, check_importer, check_validator

from acme_caps import Caps

CAPS = Caps("acme-caps", Caps.Settings(removed_an_hour=50, created_an_import=2))


def test_an_hour() -> None:
    """What other imports have removed within the hour counts."""
    removal = "user_id,case_id\njones-001,trv-001\n"
    full: dict[str, Any] = {"code": "HOUR_FULL", "message": "An hour may remove 50 people."}

    check_importer(
        RemoveUsers,
        removal,
        [{"row": 2, "outcome": "REMOVED"}],
        validators=[CAPS],
        world=World(changed={("assignment", "REMOVED"): 49}),
    )
    check_importer(
        RemoveUsers,
        removal,
        [{"row": 2, "errors": [full]}],
        validators=[CAPS],
        world=World(changed={("assignment", "REMOVED"): 50}),
    )


def test_an_import() -> None:
    """The first rows of a file pass, up to the limit."""
    check_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\n"
        "trv-002,jack-001,staff\ntrv-002,jones-001,staff\ntrv-001,jack-001,staff\n",
        [
            {"row": 2, "outcome": "CREATED"},
            {"row": 3, "outcome": "CREATED"},
            {"row": 4, "errors": [{"code": "IMPORT_FULL"}]},
        ],
        validators=[CAPS],
    )


def test_effects_of_every_kind() -> None:
    """The validator handles effects of imports of every type, and of mutations."""
    check_validator(CAPS)
