"""Resource usage of processes: CPU seconds, and peak memory above idle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.figure import Figure, median_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Used:
    """Resource usage of the processes during a measurement.

    Args:
        cpu: seconds, by process; `postgres` is the sum of all of its processes.
        memory: peak MiB above idle, by process.
    """

    cpu: Mapping[str, float]
    memory: Mapping[str, float]


def usage_figures(scenario: str, what: str, usages: Sequence[Used]) -> list[Figure]:
    """Make figures of the usage in several rounds, with the workers' CPU added up."""
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
    """Return how many cores the processes kept busy on average."""
    return sum(usage.cpu.values()) / seconds


def _of_workers(cpu: Mapping[str, float]) -> float:
    return sum(used for name, used in cpu.items() if name.startswith("worker"))
