"""The wall keeps users off the cases that its settings name."""

from importers.builtin.assign import AssignUsers
from importers.testing import check_importer, check_validator

from acme_wall import Wall

WALL = Wall("acme-wall", Wall.Settings(kept_off={"trv-": ["jack-001"]}))


def test_wall() -> None:
    """A row that puts such a user on such a case fails, with the error on the user's column."""
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
    """A user may be put on cases with other prefixes."""
    check_importer(
        AssignUsers,
        "case_id,user_id,case_role_id\ntrv-002,jack-001,staff\n",
        [{"row": 2, "outcome": "CREATED"}],
        validators=[Wall("acme-wall", Wall.Settings(kept_off={"trv-001": ["jack-001"]}))],
    )


def test_effects_of_every_kind() -> None:
    """The validator handles effects of imports of every type."""
    check_validator(WALL)
