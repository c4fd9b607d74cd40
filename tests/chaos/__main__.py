"""Show that imports keep their promise whatever breaks: their effect is that of a perfect day."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from itertools import chain, count, groupby

from tests.chaos.catalogue import FAULTS
from tests.chaos.fault import Fault, NotStagedError
from tests.chaos.play import open_site, play
from tests.chaos.table import Line, show

_ROUNDS_ON_ONE_SITE = 25


def main() -> int:
    """Stage faults until the time is up, print the table, and return the exit code."""
    options = _options()
    faults = [FAULTS[name] for name in options.faults]
    lines = {fault.name: Line(fault.name) for fault in faults}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"seed {options.seed}", flush=True)
    is_whole = True
    try:
        _stage(faults, lines, options)
    except KeyboardInterrupt:
        print("stopped; this is how far it came", file=sys.stderr)
        is_whole = False
    show(lines.values())
    print(f"seed {options.seed}")
    return 0 if is_whole and all(line.is_clean for line in lines.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=f"{__doc__} Faults are staged in turn against real servers, workers and an"
        " API of its own, while imports of all three types run; then every row, assignment,"
        " history entry, counter and mail is compared with what the files have to come to."
        " Exits with 1 if anything is lost, doubled or wrong, has not ended, or stood still for"
        " more than 30 s after a fault was over.",
        epilog="\n".join(f"  {fault.name:24}{fault.promise}" for fault in FAULTS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--faults",
        type=_names,
        default=list(FAULTS),
        metavar="NAME,NAME",
        help="which; all when left out",
    )
    parser.add_argument(
        "--minutes", type=float, default=0, help="go on for so long; each fault is staged once"
        " in any event"
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=int, default=1, help="stage each fault so often, whatever the time"
    )
    parser.add_argument(
        "--seed", default=secrets.token_hex(4), help="an earlier run's, to have the same again"
    )
    parser.add_argument("--short", action="store_true", help="small files and short outages")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in FAULTS]:
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(unknown)}; there are {', '.join(FAULTS)}"
        )
    return names


def _stage(faults: Sequence[Fault], lines: dict[str, Line], options: argparse.Namespace) -> None:
    """Stage the faults in turn; those that want the same kind of site share one for a while."""
    until = time.monotonic() + options.minutes * 60
    turns = _turns(faults, until, options.rounds)
    batches = groupby(turns, key=lambda turn: (id(turn[1].site), turn[0] // _ROUNDS_ON_ONE_SITE))
    for _, batch in batches:
        first = next(batch)
        fault = first[1]
        try:
            with open_site(first[1].site) as site:
                for number, fault in chain([first], batch):
                    line = lines[fault.name]
                    seed = f"{options.seed} {fault.name} {number}"
                    asyncio.run(play(site, fault, line, seed, is_short=options.short))
                    _tell(number, line)
        except NotStagedError as error:
            lines[first[1].name].not_staged = str(error)
        except Exception as error:
            traceback.print_exc()
            lines[fault.name].findings.fault(f"its staging has ended with {error!r:.200}")


def _turns(faults: Sequence[Fault], until: float, rounds: int) -> Iterator[tuple[int, Fault]]:
    sites = [id(fault.site) for fault in faults]
    ordered = sorted(faults, key=lambda fault: sites.index(id(fault.site)))
    for number in count():
        for fault in ordered:
            if number >= rounds and time.monotonic() > until:
                return
            yield number, fault


def _tell(number: int, line: Line) -> None:
    verdict = "as on a perfect day" if line.is_clean else "NOT as on a perfect day"
    print(f"{line.fault}, round {number + 1}: {verdict}; {line.slowest:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
