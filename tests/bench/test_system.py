"""Measured processes end with the measurement, however that ends."""

from __future__ import annotations

import subprocess
import sys

MEASURED = """
import signal
signal.signal(signal.SIGALRM, lambda *_: print("outlives it"))
signal.alarm(20)
print("runs", flush=True)
signal.pause()
"""
MEASUREMENT = f"""
import signal
from bench.system import start_python
process = start_python(["-c", {MEASURED!r}])
signal.pause()
"""


def test_killed_measurement() -> None:
    """A worker does not outlive a measurement that was killed with -9."""
    measurement = subprocess.Popen(
        [sys.executable, "-c", MEASUREMENT], stdout=subprocess.PIPE, text=True
    )
    assert measurement.stdout is not None
    with measurement, measurement.stdout as output:
        assert output.readline() == "runs\n"
        measurement.kill()
        # Ends when both processes have closed it.
        assert output.read() == ""
