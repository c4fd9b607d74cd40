"""The command: `python -m bench [SCENARIO …] [--long]`."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench import (
    console,
    fairness,
    first_failure,
    growth,
    import_export,
    imports,
    lists,
    pages,
    plan,
    plugins,
    reads,
    refusal,
    scaling,
    shares,
    small_file,
    startup,
    states,
    subscribers,
)
from bench.by_hand import TYPES
from bench.figure import print_table, write_json
from bench.options import Options
from bench.system import System

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bench.figure import Figure

SCENARIOS: Mapping[str, Callable[[System, Options], Awaitable[list[Figure]]]] = {
    "imports": imports.measure,
    "growth": growth.measure,
    "scaling": scaling.measure,
    "states": states.measure,
    "shares": shares.measure,
    "import-export": import_export.measure,
    "small-file": small_file.measure,
    "refusal": refusal.measure,
    "first-failure": first_failure.measure,
    "fairness": fairness.measure,
    "pages": pages.measure,
    "lists": lists.measure,
    "plan": plan.measure,
    "plugins": plugins.measure,
    "startup": startup.measure,
    "reads": reads.measure,
    "subscribers": subscribers.measure,
    "console": console.measure,
}
DOCS = Path(__file__).parent.parent / "docs"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Caseroll.")
    parser.add_argument("scenario", nargs="*", help=f"by default all: {', '.join(SCENARIOS)}")
    parser.add_argument("--long", action="store_true", help="for claims: a million rows, 5 rounds")
    parser.add_argument("--type", action="append", choices=TYPES, help="of `imports`; repeatable")
    parser.add_argument("--rows", type=int, help="of each import; 100,000 or, if long, 1,000,000")
    parser.add_argument("--rounds", type=int, help="3 or, if long, 5")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--plain-user", action="store_true", help="as no superuser: all checks hold"
    )
    parser.add_argument("--json", type=Path, help="where to; if long, docs/performance-DATE.json")
    options = parser.parse_args()
    if unknown := set(options.scenario) - SCENARIOS.keys():
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    return options


async def run(arguments: argparse.Namespace) -> list[Figure]:
    """Measure one scenario after another, each on its own servers."""
    options = Options(
        rows=arguments.rows or (1_000_000 if arguments.long else 100_000),
        rounds=arguments.rounds or (5 if arguments.long else 3),
        workers=arguments.workers,
        types=arguments.type or TYPES,
        is_long=arguments.long,
    )
    figures = []
    for name in arguments.scenario or SCENARIOS:
        print(f"{name} …", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="caseroll-bench-") as folder:
            async with System(Path(folder), is_plain_user=arguments.plain_user) as system:
                figures += await SCENARIOS[name](system, options)
    return figures


def _command_line(arguments: argparse.Namespace) -> str:
    """Return the command that repeats this measurement."""
    given = {"--rows": arguments.rows, "--rounds": arguments.rounds, "--workers": arguments.workers}
    types = [f"--type {type_}" for type_ in arguments.type or ()]
    options = [f"{name} {value}" for name, value in given.items() if value is not None]
    words = ["python -m bench", *arguments.scenario, *types, *options]
    flags = {"--plain-user": arguments.plain_user, "--long": arguments.long}
    return " ".join([*words, *(name for name, is_set in flags.items() if is_set)])


def main() -> None:
    """Measure, print the table, and write the figures of a long run to a file."""
    arguments = parse()
    figures = asyncio.run(run(arguments))
    print_table(figures)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    path = arguments.json or (DOCS / f"performance-{today}.json" if arguments.long else None)
    if path:
        circumstances = {
            "date": today,
            "command": _command_line(arguments),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        write_json(path, figures, circumstances)


if __name__ == "__main__":
    main()
