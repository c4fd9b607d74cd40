"""A figure: a measured value, its samples, and whether it meets its bar."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table.

    Args:
        value: in `unit`; mostly the median of the samples.
        samples: the measured values, one per round.
        bar: the value that should be met; None for a figure that only informs.
        is_at_least: whether the bar is a lower bound; else it is an upper bound.
        details: other observations, for the JSON file.
    """

    scenario: str
    what: str
    value: float
    unit: str
    samples: Sequence[float] = ()
    bar: float | None = None
    is_at_least: bool = False
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the bar is met; None without a bar."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.is_at_least else self.value <= self.bar


def median_of(
    scenario: str,
    what: str,
    samples: Sequence[float],
    unit: str,
    *,
    bar: float | None = None,
    is_at_least: bool = False,
    details: Mapping[str, object] | None = None,
) -> Figure:
    """Make a figure of the median."""
    return Figure(
        scenario=scenario,
        what=what,
        value=statistics.median(samples),
        unit=unit,
        samples=tuple(samples),
        bar=bar,
        is_at_least=is_at_least,
        details=details or {},
    )


def median_and_99th(
    scenario: str, what: str, samples: Sequence[float], unit: str, *, bars: tuple[float, float]
) -> list[Figure]:
    """Make a figure of the median, and one of the 99th percentile."""
    median_bar, high_bar = bars
    return [
        median_of(scenario, f"{what}: median", samples, unit, bar=median_bar),
        Figure(
            scenario=scenario,
            what=f"{what}: 99th percentile",
            value=percentile(samples, 99),
            unit=unit,
            samples=samples,
            bar=high_bar,
        ),
    ]


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that at least `percent` per cent of the samples do not exceed."""
    ordered = sorted(samples)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def print_table(figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    table = Table("", "value", "lowest", "highest", "n", "to reach", "")
    last = None
    for figure in figures:
        if figure.scenario != last:
            table.add_section()
            table.add_row(f"[bold]{figure.scenario}[/bold]")
            last = figure.scenario
        samples = figure.samples or [figure.value]
        sign = "≥" if figure.is_at_least else "≤"
        table.add_row(
            figure.what,
            quantity(figure.value, figure.unit),
            quantity(min(samples), figure.unit),
            quantity(max(samples), figure.unit),
            str(len(samples)),
            "" if figure.bar is None else f"{sign} {quantity(figure.bar, figure.unit)}",
            {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[figure.is_met],
        )
    Console(width=None if Console().is_terminal else 120).print(table)


def write_json(path: Path, figures: Sequence[Figure], circumstances: Mapping[str, object]) -> None:
    """Write figures with their circumstances; figures of other scenarios stay in the file."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    measured = {figure.scenario for figure in figures}
    found = [each for each in kept if each["scenario"] not in measured]
    found += [{**asdict(each), "is_met": each.is_met, **circumstances} for each in figures]
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def quantity(value: float, unit: str) -> str:
    """Format a value with about three significant digits and its unit."""
    digits = 0 if abs(value) >= 1_000 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()
