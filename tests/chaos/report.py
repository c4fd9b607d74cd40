"""The table that `make chaos` prints at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.chaos.check import Findings
from tests.chaos.run import PROMISED_SECONDS

_HEADS = (
    "fault", "times staged", "imports run", "rows checked", "lost", "doubled", "wrong",
    "slowest recovery",
)  # fmt: skip


@dataclass(slots=True)
class FaultReport:
    """The results of a fault, over all its stagings.

    Args:
        not_staged: why this machine can't stage it.
    """

    fault: str
    staged: int = 0
    imports: int = 0
    findings: Findings = field(default_factory=Findings)
    slowest: float = 0.0
    not_staged: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether the promise held, or the machine can't stage the fault."""
        if self.not_staged:
            return True
        return bool(self.imports) and self.findings.is_clean and self.slowest <= PROMISED_SECONDS

    def cells(self) -> list[str]:
        """Return the row of the table."""
        if not self.imports:
            return [self.fault, "not staged", *[""] * (len(_HEADS) - 2)]
        found = self.findings
        numbers = [self.staged, self.imports, found.rows, found.lost, found.doubled, found.wrong]
        return [self.fault, *(f"{number:,}" for number in numbers), f"{self.slowest:.1f} s"]


def print_reports(reports: Iterable[FaultReport]) -> None:
    """Print the table, and below it what was lost, doubled or wrong."""
    console = Console(width=None if Console().is_terminal else 120, highlight=False)
    table = Table(*_HEADS)
    for column in table.columns[1:]:
        column.justify = "right"
    reports = list(reports)
    for report in reports:
        table.add_row(*report.cells(), style=None if report.is_clean else "red")
    console.print(table)
    for report in reports:
        if report.not_staged:
            console.print(f"{report.fault} was not staged: {report.not_staged}", markup=False)
        for detail in report.findings.details[:10]:
            console.print(f"{report.fault}: {detail}", markup=False)
    unknown = sum(report.findings.unknown for report in reports)
    if unknown:
        console.print(
            f"{unknown} mails were being sent when their worker was stopped; their state is"
            " UNKNOWN, and none was sent twice."
        )
