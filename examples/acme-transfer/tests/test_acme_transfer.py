"""Cases go from one person to another, or a row says why not."""

from pathlib import Path

from importers import User
from importers.testing import Assigned, World, check_conformance, check_importer

from acme_transfer import Transfer

HERE = Path(__file__).parent
WORLD = World(
    users=[*World().users, User(id=4, tag_id="jill-001")],
    assignments=[
        Assigned(case="trv-001", user="jones-001", role="clients"),
        Assigned(case="trv-002", user="jones-001", role="staff"),
        Assigned(case="trv-002", user="jack-001", role="default"),
        Assigned(case="closed-001", user="jones-001", role="staff"),
    ],
)


def test_transfer() -> None:
    """A role is kept, and so is that of a person who is on the case already."""
    check_importer(Transfer, HERE / "transfer.csv", HERE / "transfer.expected.json", world=WORLD)


def test_conformance() -> None:
    """The importer passes the checks that every importer must pass."""
    check_conformance(Transfer, world=WORLD)
