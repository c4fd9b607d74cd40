"""Leavers are taken off their cases, all of them."""

from pathlib import Path

from importers.testing import Assigned, World, check_conformance, check_importer

from acme_leavers import Leavers

HERE = Path(__file__).parent
WORLD = World(
    assignments=[
        Assigned(case="trv-001", user="jones-001", role="clients"),
        Assigned(case="closed-001", user="jones-001", role="staff"),
        Assigned(case="trv-001", user="gone-001", role="staff"),
    ]
)


def test_leavers() -> None:
    """Closed cases and disabled users make no difference; a person can be listed twice."""
    check_importer(Leavers, HERE / "leavers.csv", HERE / "leavers.expected.json", world=WORLD)


def test_conformance() -> None:
    """The importer passes the checks that every importer must pass."""
    check_conformance(Leavers)
