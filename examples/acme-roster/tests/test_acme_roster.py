"""Rosters become assignments, or errors."""

from pathlib import Path

from importers.testing import check_conformance, check_importer

from acme_roster import Roster

HERE = Path(__file__).parent
ROSTER = Roster("acme-roster", Roster.Settings())
WITH_MAILS = Roster("acme-roster", Roster.Settings(mails=True))


def test_roster() -> None:
    """Seats are roles under other names, and a row reports each of its wrong cells."""
    check_importer(ROSTER, HERE / "roster.csv", HERE / "roster.expected.json")


def test_blank_mail() -> None:
    """A blank `mail` cell takes the value of the setting."""
    check_importer(
        WITH_MAILS,
        "matter,person,seat,mail\ntrv-001,jack@example.org,lead,\n",
        [{"row": 2, "outcome": "CREATED", "asks": [{"role": "staff", "notify": True}]}],
    )


def test_conformance() -> None:
    """The importer passes the checks that every importer must pass."""
    check_conformance(ROSTER)
