"""What files of rates ask for."""

from pathlib import Path

from importers.testing import check_conformance, check_importer

from acme_rates import Rates

HERE = Path(__file__).parent


def test_rates() -> None:
    """Amounts are hundredths, a blank currency is dollars, and a case has one rate."""
    check_importer(Rates, HERE / "rates.csv", HERE / "rates.expected.json")


def test_conformance() -> None:
    """It gets right what every importer has to."""
    check_conformance(Rates)
