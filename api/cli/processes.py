"""`caseroll serve`, `worker` and `migrate`: the commands for production."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

import asyncpg
import click

from api.cli.failure import RefusedError, print_error
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url
from api.cli.printable import printable
from api.processes.child import ChildSpec
from api.processes.exit_code import EXIT_SOME_FAILED
from api.processes.supervisor import Supervisor
from api.settings import Settings, plugins_file, process_environment
from importers.plugins.captured_output import CapturedOutput
from importers.plugins.registry import load, report, report_problems
from importers.plugins.tables import check_tables, owners
from models.db import check_server
from models.db import migrate as migrate_database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from importers.plugins.registry import Registry
    from models.plugin_tables import FailedMigration, FailedTable

_GARBAGE_OBJECTS = 20_000


@click.command()
@click.option("--host", help="What to listen on.  [default: CASEROLL_HOST or 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Likewise.  [default: CASEROLL_PORT or 8000]"
)
@click.option("--listener", type=int, hidden=True, help="An inherited socket to listen on.")
def serve(host: str | None, port: int | None, listener: int | None) -> int:
    """Run the API; DATABASE_URL and REDIS_URL name its servers. SIGHUP loads the plugins again."""
    import uvicorn  # noqa: PLC0415 - the web stack is slow to import, other commands go without

    from api.app import create_app  # noqa: PLC0415
    from api.cli.reload import reload_on_hangup  # noqa: PLC0415
    from api.http.server import WebServerConfig  # noqa: PLC0415

    # An operator who sends SIGHUP looks for its result in the log.
    logging.getLogger("api.cli.reload").setLevel(logging.INFO)
    environ = process_environment()
    settings = Settings.from_environment(environ)
    check_temporary_folder(environ)
    settings = replace(settings, host=host or settings.host, port=port or settings.port)
    listening = (
        listen(settings.host, settings.port) if listener is None else socket.socket(fileno=listener)
    )
    if not _is_database_there(settings.database_url):
        return 1
    # `WriteDeadline` sees only clients for which much is buffered: for those that vanish with less,
    # the kernel ends the connection.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = int(settings.patience.idle_seconds * 1_000)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    # Plugins run in the API as well, when it asks for their descriptions.
    sys.stdout = cast("TextIO", CapturedOutput(sys.stdout))
    app = create_app(settings)
    reload_on_hangup(app, environ)
    # Modules and the schema live as long as the process: no collection need scan them. A page of a
    # list makes thousands of objects, few of them garbage; the default threshold would scan
    # them several times for each answer.
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS)
    server = uvicorn.Server(WebServerConfig(app, settings))
    server.run(sockets=[listening])
    return 0 if server.started else 1


def check_temporary_folder(environ: Mapping[str, str]) -> None:
    """Look for it before an import needs it, which would wait for it for ever.

    Raises:
        RefusedError: there is none, or not the one that TMPDIR names.
    """
    wanted = environ.get("TMPDIR")
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:
        raise RefusedError(
            "no folder for temporary files can be written to: let TMPDIR name one."
        ) from None
    # Python would use another one, which may be small, without a word.
    if wanted and Path(folder).resolve() != Path(wanted).resolve():
        raise RefusedError(f"TMPDIR: {wanted!r} is no folder that can be written to.")


def _is_database_there(url: str) -> bool:
    """Look before the processes do, which would log it at length; say what is wrong.

    Raises:
        PermissionError: the database refuses, and would again.
    """
    try:
        asyncio.run(check_server(url))
    except PermissionError:
        raise
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        print_error(error)
        return False
    return True


@click.command()
@click.option("--processes", type=click.IntRange(1, 1000), help="[default: CASEROLL_WORKERS or 2]")
def worker(processes: int | None) -> int:
    """Run imports and send mails, in several processes; one that dies is started again.

    SIGHUP replaces them one after another, with new plugins and plugins.toml.
    """
    logging.getLogger("api.processes.supervisor").setLevel(logging.INFO)
    environ = process_environment()
    settings = Settings.from_environment(environ)
    check_temporary_folder(environ)
    registry = load(settings.plugins)
    report(registry)
    # If not, the processes begin when it is. What it refuses for good ends the command here, not
    # the processes, which would be started again.
    if _is_database_there(settings.database_url):
        with suppress(OSError, asyncpg.PostgresError):
            checked = asyncio.run(check_tables(registry, settings.database_url))
            report_problems(checked, known=registry.problems)
    spec = worker_spec(environ, processes or settings.workers)
    with Supervisor([spec], check=plugins_spec(environ)) as supervisor:
        return supervisor.run()


@click.command()
@folder_option
def migrate(folder: DataFolder) -> int:
    """Bring the database's schema up to date, and the tables of plugins that are on.

    Safe to run from several hosts at once. The exit code is 1 when a migration of a plugin fails;
    that plugin is then broken, and all else is up to date.
    """
    registry = load(plugins_file(process_environment()))
    url = database_url(folder)
    failed = asyncio.run(migrate_database(url, registry.migrations, registry.own_tables))
    print_failed_migrations(registry, failed)
    click.echo("The database is up to date" + (", but for these plugins." if failed else "."))
    return EXIT_SOME_FAILED if failed else 0


def print_failed_migrations(
    registry: Registry, failed: Sequence[FailedMigration | FailedTable]
) -> None:
    """Say which plugins are broken, as a migration or a table of theirs has failed, and why."""
    for each in failed:
        names = " and ".join(owners(registry, each))
        click.echo(f"{names} can't be switched on: {printable(str(each))}", err=True)


def worker_spec(environ: dict[str, str], count: int) -> ChildSpec:
    """Describe the worker processes, which leave reports of broken plugins to their parent.

    -P keeps a folder `api` in the working folder from being imported instead of ours.
    """
    argv = (sys.executable, "-P", "-m", "api.worker")
    return ChildSpec(name="worker", argv=argv, env=environ, count=count)


def plugins_spec(environ: dict[str, str]) -> ChildSpec:
    """Describe the check of the plugins, in a new process, which sees what is installed now."""
    argv = (sys.executable, "-P", "-m", "api.cli", "importers", "--check")
    return ChildSpec(name="caseroll importers --check", argv=argv, env=environ)


def api_spec(environ: dict[str, str], listener: socket.socket) -> ChildSpec:
    """Describe the API's process, which inherits the listening socket: no other program can take
    the port, and clients wait while the API restarts."""
    fd = listener.fileno()
    argv = (sys.executable, "-P", "-m", "api.cli", "serve", "--listener", str(fd))
    return ChildSpec(name="api", argv=argv, env=environ, fds=(fd,))


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        RefusedError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # uvicorn's own backlog, as clients connect from here on, before uvicorn starts.
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror  # negative: a name's look-up
        raise RefusedError(f"can't listen on {host} port {port}: {reason}.") from error
    # Connections inherit the option. asyncio sets it only on sockets that were created with a
    # protocol number; without it, a response's body waits 40 ms for the client to confirm the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
