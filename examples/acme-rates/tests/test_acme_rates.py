"""Files of rates become changes, or errors."""

from pathlib import Path

from importers import Case
from importers.testing import World, check_conformance, check_importer

from acme_rates import Rate, Rates

HERE = Path(__file__).parent


def test_rates() -> None:
    """Amounts are hundredths, a blank currency is dollars, and a case has one rate."""
    check_importer(Rates, HERE / "rates.csv", HERE / "rates.expected.json")


def test_rates_that_are_there() -> None:
    """A rate that is the same already stays; another one is changed."""
    cases = [Case(id=1, tag_id="trv-001"), Case(id=2, tag_id="trv-002")]
    rates = [Rate(case=case, cents=18_550, currency="USD") for case in cases]
    check_importer(
        Rates,
        "case_id,rate\ntrv-001,185.50\ntrv-002,90\n",
        [{"row": 2, "outcome": "UNCHANGED"}, {"row": 3, "outcome": "UPDATED"}],
        world=World(cases=cases, records=rates),
    )


def test_conformance() -> None:
    """The importer passes the checks that every importer must pass."""
    check_conformance(Rates)
