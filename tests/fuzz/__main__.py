"""Try the reader with random files: `python -m tests.fuzz --minutes 10`.

A file that is read wrongly, kills its reader or takes too long is saved in `tests/fuzz/found`;
`tests/importers/reading/test_fuzz.py` reads the saved files in each run of the tests.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.batch import head_bytes
from tests.fuzz.check_reading import check_reading
from tests.fuzz.check_workbook import check_usual_form, check_workbook
from tests.fuzz.random_file import make_file
from tests.fuzz.saved_file import save

STRETCH = 20_000
SECONDS_A_FILE = 10.0
_ROUND = 0.2
_MOST_WRONG = 20


@dataclass
class Report:
    """The results so far."""

    codes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    peak: int = 0
    isolated: int = 0
    failed: list[int] = field(default_factory=list)

    def add(self, said: dict[str, object]) -> None:
        """Add the report of a batch."""
        self.codes.update(said["codes"])  # type: ignore[call-overload]
        self.kinds.update(said["kinds"])  # type: ignore[call-overload]
        self.slowest = max(self.slowest, tuple(said["slowest"]))  # type: ignore[call-overload]
        self.peak = max(self.peak, said["peak"])  # type: ignore[type-var]

    def show(self, seconds: float) -> None:
        """Print the results."""
        tried = sum(self.kinds.values())
        print(f"{tried:,} files in {seconds:,.0f} s, {self.isolated} of them in a process alone")
        print("kinds: " + _listed(self.kinds))
        print("results: " + _listed(self.codes))
        print(f"slowest: {self.slowest[0] * 1000:.1f} ms, file {self.slowest[1]}")
        print(f"most memory: {self.peak / 2**20:.0f} MiB")
        print(f"wrong: {len(self.failed)} {self.failed[:20] or ''}")


def main() -> int:
    """Try files until the count or the time is reached; return 1 if one was read wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many files (1,000,000)")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long at most (60)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first file (0)")
    parser.add_argument("--cells", type=int, default=100_000, help="cells of workbooks (100,000)")
    options = parser.parse_args()
    report = Report()
    started = time.monotonic()
    seed, end = options.seed, options.seed + options.count
    while seed < end and time.monotonic() - started < options.minutes * 60:
        seed = _stretch(seed, min(seed + STRETCH, end), report)
    report.show(time.monotonic() - started)
    wrong = _compare_cells(options.seed, options.cells)
    return 1 if report.failed or wrong else 0


def _compare_cells(seed: int, count: int) -> int:
    """Compare cells of workbooks whose shown text is known; return how many workbooks are wrong."""
    started, compared, wrong = time.monotonic(), 0, 0
    while compared < count and wrong < _MOST_WRONG:
        try:
            compared += check_workbook(seed)
            check_usual_form(seed)
        except Exception as error:
            wrong += 1
            print(f"check_workbook({seed}) fails: {error!r:.500}")
        seed += 1
    print(f"{compared:,} cells of workbooks compared in {time.monotonic() - started:,.0f} s")
    print(f"workbooks read wrongly: {wrong}")
    return wrong


def _stretch(first: int, last: int, report: Report) -> int:
    """Check a batch of files in a child process; return the number of the next file to check."""
    with tempfile.TemporaryDirectory() as folder:
        note, output = Path(folder, "note"), Path(folder, "output")
        note.write_bytes(struct.pack("q", first))
        with output.open("wb") as stream, Path(folder, "complaints").open("wb") as complaints:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.batch", str(note), str(first), str(last)],
                stdout=stream,
                stderr=complaints,
            )
            is_stuck = _watch(child, note)
        if child.returncode == 0:
            said = json.loads(output.read_text())
            report.add(said)
            for number, why in said["failed"].items():
                _keep(int(number), why, report)
            return last
        (seed,) = struct.unpack("q", note.read_bytes())
    if seed > first:  # the files before it are checked again: their report died with the child
        return _stretch(first, seed, report)
    _look_closer(seed, "it took too long" if is_stuck else f"exit {child.returncode}", report)
    return seed + 1


def _watch(child: subprocess.Popen[bytes], note: Path) -> bool:
    """Wait for the child's end; kill it, and return True, when one file takes too long."""
    seen, since = b"", time.monotonic()
    while child.poll() is None:
        time.sleep(_ROUND)
        if (now := note.read_bytes()) != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > SECONDS_A_FILE:
            child.kill()
            child.wait()
            return True
    return False


def _look_closer(seed: int, why: str, report: Report) -> None:
    """Read a file that killed its reader in the isolated process that Caseroll uses."""
    report.isolated += 1
    try:
        code = check_reading(make_file(seed), head_bytes=head_bytes(seed), is_isolated=True)
    except Exception as error:
        _keep(seed, f"{why}; {error!r}", report)
        return
    if code is None:
        _keep(seed, f"{why}; read all the same", report)
    report.kinds["alone"] += 1
    report.codes[code or "read"] += 1


def _keep(seed: int, why: str, report: Report) -> None:
    report.failed.append(seed)
    print(f"file {seed} is read wrongly; saved as {save(make_file(seed), seed)}\n{why}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
