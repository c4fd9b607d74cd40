"""Show that imports have the same effect with faults as without them."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count, groupby

from tests.chaos.all_faults import FAULTS
from tests.chaos.fault import Fault, NotStagedError
from tests.chaos.report import FaultReport, print_reports
from tests.chaos.run import PHASES
from tests.chaos.staging import open_site, stage_fault

_ROUNDS_ON_ONE_SITE = 25


def main() -> int:
    """Stage faults until the time is up, print the table, and return the exit code."""
    options = _options()
    faults = [FAULTS[name] for name in options.faults]
    reports = {fault.name: FaultReport(fault.name) for fault in faults}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"seed {options.seed}", flush=True)
    is_whole = True
    try:
        _stage(faults, reports, options)
    except KeyboardInterrupt:
        print("stopped before all faults were staged", file=sys.stderr)
        is_whole = False
    print_reports(reports.values())
    print(f"seed {options.seed}")
    return 0 if is_whole and all(report.is_clean for report in reports.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=f"{__doc__} Faults are staged in turn against real servers, workers and an"
        " API of its own, while imports of all three types run, are planned, applied, undone and"
        " released. Then every row, assignment, history entry, counter, mail and webhook is"
        " compared with what the files ask for."
        " Exits with 1 if a result is lost, doubled or wrong, or if an import did not end or made"
        " no progress for more than 30 s after a fault was over.",
        epilog="\n".join(f"  {fault.name:24}{fault.promise}" for fault in FAULTS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--faults",
        type=_names,
        default=list(FAULTS),
        metavar="NAME,NAME",
        help="the faults to stage; by default all",
    )
    parser.add_argument(
        "--minutes", type=float, default=0, help="repeat for this long; each fault is staged at"
        " least once"
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=int, default=1, help="stage each fault at least this often"
    )
    parser.add_argument(
        "--seed", default=secrets.token_hex(4), help="the seed of an earlier run, to repeat it"
    )
    parser.add_argument(
        "--phases", type=_phases, default=list(PHASES), metavar="NAME,NAME",
        help=f"what imports do when a fault comes, of {', '.join(PHASES)}; by default all",
    )  # fmt: skip
    parser.add_argument("--short", action="store_true", help="small files and short outages")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    return _some_of(FAULTS, text)


def _phases(text: str) -> list[str]:
    return _some_of(PHASES, text)


def _some_of(known: Collection[str], text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return names


def _stage(
    faults: Sequence[Fault], reports: dict[str, FaultReport], options: argparse.Namespace
) -> None:
    """Stage the faults in turn; faults with the same site options share a site for a while."""
    until = time.monotonic() + options.minutes * 60
    turns = _turns(faults, until, options.rounds)
    batches = groupby(turns, key=lambda turn: (id(turn[1].site), turn[0] // _ROUNDS_ON_ONE_SITE))
    for _, batch in batches:
        first = next(batch)
        fault = first[1]
        try:
            with open_site(first[1].site) as site:
                for number, fault in chain([first], batch):
                    report = reports[fault.name]
                    seed = f"{options.seed} {fault.name} {number}"
                    staging = stage_fault(
                        site, fault, report, seed, is_short=options.short, phases=options.phases
                    )
                    asyncio.run(staging)
                    _print_verdict(number, report)
        except NotStagedError as error:
            reports[first[1].name].not_staged = str(error)
        except Exception as error:
            traceback.print_exc()
            reports[fault.name].findings.fault(f"its staging ended with {error!r:.200}")


def _turns(faults: Sequence[Fault], until: float, rounds: int) -> Iterator[tuple[int, Fault]]:
    sites = [id(fault.site) for fault in faults]
    ordered = sorted(faults, key=lambda fault: sites.index(id(fault.site)))
    for number in count():
        for fault in ordered:
            if number >= rounds and time.monotonic() > until:
                return
            yield number, fault


def _print_verdict(number: int, report: FaultReport) -> None:
    verdict = "as without the fault" if report.is_clean else "NOT as without the fault"
    print(f"{report.fault}, round {number + 1}: {verdict}; {report.slowest:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
