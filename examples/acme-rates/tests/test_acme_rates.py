"""Files of rates become changes, or errors."""

from pathlib import Path

from importers.testing import check_conformance, check_importer

from acme_rates import Rates

HERE = Path(__file__).parent


def test_rates() -> None:
    """Amounts are hundredths, a blank currency is dollars, and a case has one rate."""
    check_importer(Rates, HERE / "rates.csv", HERE / "rates.expected.json")


def test_conformance() -> None:
    """The importer passes the checks that every importer must pass."""
    check_conformance(Rates)
