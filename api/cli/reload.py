"""Loading the plugins again while the API runs."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncpg

from api.cli.plugins import load_whole
from api.processes.terminal import Terminal
from importers.sdk.errors import ConfigError

if TYPE_CHECKING:
    from types import FrameType

    from starlette.applications import Starlette

log = logging.getLogger(__name__)


def reload_on_hangup(app: Starlette, environ: dict[str, str]) -> None:
    """On SIGHUP, give the application the plugins that plugins.toml names now.

    A thread loads them: plugins' code may take long, and meanwhile requests continue with the
    plugins that they began with. Call it in the main thread, as signal handlers demand.
    """
    terminal, lock = Terminal(), threading.Lock()

    def load() -> None:
        with lock:
            # Python would not see packages that were installed since it last looked into their
            # folder.
            importlib.invalidate_caches()
            try:
                registry = load_whole(environ, app.state.services.settings.database_url)
            except (ConfigError, OSError, asyncpg.PostgresError) as error:
                log.error("the plugins stay as they were; this is wrong:\n%s", error)  # noqa: TRY400
                return
            # One assignment: a request sees the old plugins or the new ones, never some of each.
            app.state.services = replace(app.state.services, registry=registry)
        log.info("plugins that are on: %s", ", ".join(registry.importers) or "none")

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        if terminal.is_gone():
            os.kill(os.getpid(), signal.SIGTERM)
        elif hasattr(app.state, "services"):  # else it is just starting, and loads them
            threading.Thread(target=load, name="plugins", daemon=True).start()

    signal.signal(signal.SIGHUP, hang_up)
