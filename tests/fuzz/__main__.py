"""Try the reader with files made at random: `python -m tests.fuzz --minutes 10`.

A file that is read wrongly, kills its reader or takes too long is saved in `tests/fuzz/found`, and
`tests/importers/reading/test_fuzz.py` reads it again from then on.
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

from tests.fuzz.child import head_of
from tests.fuzz.found import save
from tests.fuzz.judge import judge
from tests.fuzz.made import make

STRETCH = 20_000
SECONDS_A_FILE = 10.0
_ROUND = 0.2


@dataclass
class Report:
    """What was seen so far."""

    codes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    peak: int = 0
    isolated: int = 0
    failed: list[int] = field(default_factory=list)

    def add(self, said: dict[str, object]) -> None:
        """Add what a child has said."""
        self.codes.update(said["codes"])  # type: ignore[call-overload]
        self.kinds.update(said["kinds"])  # type: ignore[call-overload]
        self.slowest = max(self.slowest, tuple(said["slowest"]))  # type: ignore[call-overload]
        self.peak = max(self.peak, said["peak"])  # type: ignore[type-var]

    def show(self, seconds: float) -> None:
        """Print it."""
        tried = sum(self.kinds.values())
        print(f"{tried:,} files in {seconds:,.0f} s, {self.isolated} of them in a process alone")
        print("kinds: " + _listed(self.kinds))
        print("what came of them: " + _listed(self.codes))
        print(f"slowest: {self.slowest[0] * 1000:.1f} ms, file {self.slowest[1]}")
        print(f"most memory: {self.peak / 2**20:.0f} MiB")
        print(f"wrong: {len(self.failed)} {self.failed[:20] or ''}")


def main() -> int:
    """Try files until the count or the time is reached; return 1 if any was read wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many files (1,000,000)")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long at most (60)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first file (0)")
    options = parser.parse_args()
    report = Report()
    started = time.monotonic()
    seed, end = options.seed, options.seed + options.count
    while seed < end and time.monotonic() - started < options.minutes * 60:
        seed = _stretch(seed, min(seed + STRETCH, end), report)
    report.show(time.monotonic() - started)
    return 1 if report.failed else 0


def _stretch(first: int, last: int, report: Report) -> int:
    """Judge some files in a child; return the number of the first one that is not judged yet."""
    with tempfile.TemporaryDirectory() as folder:
        note, output = Path(folder, "note"), Path(folder, "output")
        note.write_bytes(struct.pack("q", first))
        with output.open("wb") as stream, Path(folder, "complaints").open("wb") as complaints:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.child", str(note), str(first), str(last)],
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
    if seed > first:  # what came before it is judged again, as nothing was said of it
        return _stretch(first, seed, report)
    _look_closer(seed, "it took too long" if is_stuck else f"exit {child.returncode}", report)
    return seed + 1


def _watch(child: subprocess.Popen[bytes], note: Path) -> bool:
    """Wait for the child's end; kill it, and return True, when it is at one file for too long."""
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
    """Read a file that killed its reader as Caseroll reads it, where that may do no harm."""
    report.isolated += 1
    try:
        code = judge(make(seed), head=head_of(seed), is_isolated=True)
    except Exception as error:
        _keep(seed, f"{why}; {error!r}", report)
        return
    if code is None:
        _keep(seed, f"{why}; read all the same", report)
    report.kinds["alone"] += 1
    report.codes[code or "read"] += 1


def _keep(seed: int, why: str, report: Report) -> None:
    report.failed.append(seed)
    print(f"file {seed} is read wrongly; saved as {save(make(seed), seed)}\n{why}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
