"""Check a batch of files in a process of its own, which one of them may kill."""

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

from tests.fuzz.check_reading import check_reading
from tests.fuzz.random_file import make_file


def head_bytes(seed: int) -> int:
    """Return how many bytes of this file `check_head` gets."""
    return 1 + seed % 97


def main() -> int:
    """Check the files from one number to another, and print a report in JSON."""
    note, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    codes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failed: dict[int, str] = {}
    slowest = (0.0, first)
    with note.open("r+b") as shared, mmap.mmap(shared.fileno(), 8) as current:
        for seed in range(first, last):
            current[:] = struct.pack("q", seed)
            file = make_file(seed)
            started = time.perf_counter()
            try:
                codes[check_reading(file, head_bytes=head_bytes(seed)) or "read"] += 1
            except Exception:
                failed[seed] = traceback.format_exc(limit=-4)
            slowest = max(slowest, (time.perf_counter() - started, seed))
            kinds[file.kind] += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"codes": codes, "kinds": kinds, "failed": failed, "slowest": slowest,
                      "peak": peak}))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
