"""Compares a third party's importers with `assign`, which does the same, in turns, on fresh copies.

All read the same file. Their speeds are compared by the CPU that all processes use together, which
depends less on what else the machine does than the time does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.figure import median_of
from bench.files import make_file
from bench.imports import run_import
from bench.population import populate
from importers.plugins.plugins_file import default_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.figure import Figure
    from bench.options import Options
    from bench.system import System

SCENARIO = "importers of a third party, to `assign`"
_OURS = "assign"
# Name → its class, what it is, and the least share of the built-in's speed.
_THEIRS = {
    "bench-declared": ("Declared", "with `every_row`", 0.5),
    "bench-asked": ("Asked", "with `change`", None),
    "bench-grouped": ("Grouped", "with `change_group`", 1 / 3),
}


async def measure(system: System, options: Options) -> list[Figure]:
    """Measure the built-in and each importer of a third party."""
    environ = _install(system.folder / "third-party")
    people = max(1_000, options.rows // 10)
    template = await populate(system, "filled", people)
    file = make_file(_OURS, options.rows, people=people)
    cpu: dict[str, list[float]] = {name: [] for name in (_OURS, *_THEIRS)}
    for _ in range(options.rounds):
        for name, samples in cpu.items():
            async with system.copied(template) as copy:
                _, used = await run_import(system, copy, options.workers, name, file, **environ)
            samples.append(sum(used.cpu.values()) / options.rows * 1e6)
    figures = [
        median_of(SCENARIO, f"{_OURS}, {options.rows:,} rows: CPU of a row", cpu[_OURS], "µs")
    ]
    for name in _THEIRS:
        figures += _figures(name, cpu)
    return figures


def _figures(name: str, cpu: Mapping[str, list[float]]) -> list[Figure]:
    _, title, least = _THEIRS[name]
    speeds = [ours / theirs for ours, theirs in zip(cpu[_OURS], cpu[name], strict=True)]
    return [
        median_of(SCENARIO, f"{title}: CPU of a row", cpu[name], "µs"),
        median_of(
            SCENARIO,
            f"{title}: speed, to the built-in's",
            speeds,
            "",
            bar=least,
            is_at_least=True,
        ),
    ]


def _install(folder: Path) -> dict[str, str]:
    """Make the importers of `bench.third_party` those of an installed package.

    Returns:
        the settings of processes that have it switched on.
    """
    package = folder / "caseroll_bench-1.0.dist-info"
    package.mkdir(parents=True)
    metadata = "Metadata-Version: 2.4\nName: caseroll-bench\nVersion: 1.0\n"
    (package / "METADATA").write_text(metadata, encoding="utf-8")
    points = "\n".join(
        f"{name} = bench.third_party:{each}" for name, (each, _, _) in _THEIRS.items()
    )
    (package / "entry_points.txt").write_text(f"[caseroll.importers]\n{points}\n", "utf-8")
    switched_on = "".join(f"\n[importers.{name}]\n" for name in _THEIRS)
    plugins = folder / "plugins.toml"
    plugins.write_text(default_path().read_text(encoding="utf-8") + switched_on, "utf-8")
    return {"PYTHONPATH": str(folder), "CASEROLL_PLUGINS": str(plugins)}
