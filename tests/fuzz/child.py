"""Judges a stretch of files in a process of its own, which may die of one of them."""

from __future__ import annotations

import json
import mmap
import resource
import struct
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz.judge import judge
from tests.fuzz.made import make


def head_of(seed: int) -> int:
    """Return how many bytes of this file `check_head` is shown."""
    return 1 + seed % 97


def main() -> int:
    """Judge the files from one number to another, and say on standard output what was seen."""
    note, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    codes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failed: dict[int, str] = {}
    slowest = (0.0, first)
    with note.open("r+b") as file, mmap.mmap(file.fileno(), 8) as present:
        for seed in range(first, last):
            present[:] = struct.pack("q", seed)
            made = make(seed)
            started = time.perf_counter()
            try:
                codes[judge(made, head=head_of(seed)) or "read"] += 1
            except Exception:
                failed[seed] = traceback.format_exc(limit=-4)
            slowest = max(slowest, (time.perf_counter() - started, seed))
            kinds[made.kind] += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"codes": codes, "kinds": kinds, "failed": failed, "slowest": slowest,
                      "peak": peak}))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
