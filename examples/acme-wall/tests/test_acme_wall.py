"""Who is kept off which cases."""

from importers.builtin.assign import AssignUsers
from importers.testing import check_importer, check_validator

from acme_wall import Wall

WALL = Wall("acme-wall", Wall.Settings(kept_off={"trv-": ["jack-001"]}))


def test_wall() -> None:
    """A user is refused on the cases that the settings name, by the user's column."""
    check_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\ntrv-002,jones-001,staff\n",
        [
            {
                "row": 2,
                "errors": [
                    {
                        "code": "CONFLICT_OF_INTEREST",
                        "message": "User Id: must be kept off the cases 'trv-…'.",
                        "column": "user_id",
                        "value": "jack-001",
                    }
                ],
            },
            {"row": 3, "outcome": "CREATED"},
        ],
        validators=[WALL],
    )


def test_other_cases() -> None:
    """Other cases are open to everybody."""
    check_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\n",
        [{"row": 2, "outcome": "CREATED"}],
        validators=[Wall("acme-wall", Wall.Settings(kept_off={"trv-001": ["jack-001"]}))],
    )


def test_effects_of_every_kind() -> None:
    """It takes whatever imports of any type are about to do."""
    check_validator(WALL)
