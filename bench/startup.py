"""Measures how long `caseroll up --demo` takes until the API is ready with its demo data."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from bench.figure import median_of
from bench.port import free_port
from bench.system import clean_environment, start_python, wait_until_ready

if TYPE_CHECKING:
    from bench.figure import Figure
    from bench.options import Options
    from bench.system import System

SCENARIO = "caseroll up --demo, from the command to /ready"
_EMPTY_BAR, _USED_BAR = 5.0, 2.5


async def measure(_system: System, options: Options) -> list[Figure]:
    """Start it on an empty folder, and again on the same folder."""
    empty, used = [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="caseroll-up-") as folder:
            empty.append(await _seconds_to_ready(Path(folder) / "data"))
            used.append(await _seconds_to_ready(Path(folder) / "data"))
    return [
        median_of(SCENARIO, "on an empty folder", empty, "s", bar=_EMPTY_BAR),
        median_of(SCENARIO, "on a used folder", used, "s", bar=_USED_BAR),
    ]


async def _seconds_to_ready(folder: Path) -> float:
    port = free_port()
    command = ["-m", "api.cli", "up", "--demo", "--data", str(folder), "--port", str(port)]
    start = time.perf_counter()
    process = start_python(command, env=clean_environment(), stdout=subprocess.DEVNULL)
    try:
        async with aiohttp.ClientSession() as http:
            await wait_until_ready(http, f"http://127.0.0.1:{port}")
        return time.perf_counter() - start
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait)
