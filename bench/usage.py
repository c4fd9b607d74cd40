"""What processes have used: seconds of CPU, and memory above idle at the peak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.figure import Figure, median_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Used:
    """What the processes have used while something was measured.

    Args:
        cpu: seconds, by process; `postgres` stands for all of its processes.
        memory: MiB above idle at the peak, by process.
    """

    cpu: Mapping[str, float]
    memory: Mapping[str, float]


def usage_figures(scenario: str, what: str, usages: Sequence[Used]) -> list[Figure]:
    """Make figures of what several rounds have used, the workers taken together."""
    cpu = {
        "API": [each.cpu["api"] for each in usages],
        "workers": [_of_workers(each.cpu) for each in usages],
        "PostgreSQL": [each.cpu["postgres"] for each in usages],
    }
    memory = {
        "API": [each.memory["api"] for each in usages],
        "a worker": [
            max(peak for name, peak in each.memory.items() if name != "api") for each in usages
        ],
    }
    return [
        *(median_of(scenario, f"{what}: CPU, {who}", used, "s") for who, used in cpu.items()),
        *(
            Figure(
                scenario=scenario,
                what=f"{what}: peak memory above idle, {who}",
                value=max(peaks),
                unit="MiB",
                samples=tuple(peaks),
            )
            for who, peaks in memory.items()
        ),
    ]


def cores_busy(usage: Used, seconds: float) -> float:
    """Return how many cores the processes have kept busy."""
    return sum(usage.cpu.values()) / seconds


def _of_workers(cpu: Mapping[str, float]) -> float:
    return sum(used for name, used in cpu.items() if name.startswith("worker"))
