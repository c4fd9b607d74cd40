"""What becomes of rosters."""

from pathlib import Path

from importers.testing import check_conformance, check_importer

from acme_roster import Roster

HERE = Path(__file__).parent
ROSTER = Roster("acme-roster", Roster.Settings())
WITH_MAILS = Roster("acme-roster", Roster.Settings(mails=True))


def test_roster() -> None:
    """Seats are roles by other names, and every wrong cell of a row is named."""
    check_importer(ROSTER, HERE / "roster.csv", HERE / "roster.expected.json")


def test_blank_mail() -> None:
    """A blank cell asks for what the settings say."""
    check_importer(
        WITH_MAILS,
        "matter,person,seat,mail\ntrv-001,jack@example.org,lead,\n",
        [{"row": 2, "outcome": "CREATED", "asks": [{"role": "staff", "notify": True}]}],
    )


def test_conformance() -> None:
    """It gets right what every importer has to."""
    check_conformance(ROSTER)
