"""The table that a run ends with."""

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
class Line:
    """What came of a fault, over all its stagings.

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
        """Whether the promise was held, wherever it could be tried."""
        if self.not_staged:
            return True
        return bool(self.imports) and self.findings.is_clean and self.slowest <= PROMISED_SECONDS

    def cells(self) -> list[str]:
        """The line as it is shown."""
        if not self.imports:
            return [self.fault, "not staged", *[""] * (len(_HEADS) - 2)]
        found = self.findings
        numbers = [self.staged, self.imports, found.rows, found.lost, found.doubled, found.wrong]
        return [self.fault, *(f"{number:,}" for number in numbers), f"{self.slowest:.1f} s"]


def show(lines: Iterable[Line]) -> None:
    """Print the table, and below it what its figures don't say."""
    console = Console(width=None if Console().is_terminal else 120, highlight=False)
    table = Table(*_HEADS)
    for column in table.columns[1:]:
        column.justify = "right"
    lines = list(lines)
    for line in lines:
        table.add_row(*line.cells(), style=None if line.is_clean else "red")
    console.print(table)
    for line in lines:
        if line.not_staged:
            console.print(f"{line.fault} was not staged: {line.not_staged}", markup=False)
        for detail in line.findings.details[:10]:
            console.print(f"{line.fault}: {detail}", markup=False)
    unknown = sum(line.findings.unknown for line in lines)
    if unknown:
        console.print(
            f"{unknown} mails were under way when their sender was stopped: whether they were sent"
            " is on record as unknown, and none was sent twice."
        )
