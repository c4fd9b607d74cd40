"""Loading the plugins again while the API runs."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from api.cli.plugins import load_whole
from api.processes.terminal import Terminal
from importers.sdk.errors import ConfigError

if TYPE_CHECKING:
    from types import FrameType

    from starlette.applications import Starlette

log = logging.getLogger(__name__)


class Reload:
    """On SIGHUP, gives the application the plugins that plugins.toml names now.

    A thread loads them: plugins' code may take long, and meanwhile requests continue with the
    plugins that they began with. Create it in the main thread, as signal handlers demand.
    """

    def __init__(self, app: Starlette, environ: dict[str, str]) -> None:
        self._app = app
        self._environ = environ
        self._lock = threading.Lock()
        self._terminal = Terminal()
        signal.signal(signal.SIGHUP, self._hang_up)

    def load(self) -> None:
        """Load the plugins; if anything is wrong, log it and keep the present plugins."""
        with self._lock:
            importlib.invalidate_caches()
            try:
                registry = load_whole(self._environ)
            except ConfigError as error:
                log.error("the plugins stay as they were; this is wrong:\n%s", error)  # noqa: TRY400
                return
            state = self._app.state
            state.services = replace(state.services, registry=registry)
        log.info("plugins that are on: %s", ", ".join(registry.importers) or "none")

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        if self._terminal.is_gone():
            os.kill(os.getpid(), signal.SIGTERM)
        elif hasattr(
            self._app.state, "services"
        ):  # else the application is just starting, and loads them
            threading.Thread(target=self.load, name="plugins", daemon=True).start()
