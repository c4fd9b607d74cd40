"""`caseroll serve`, `worker` and `migrate`: the parts that production runs one by one."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from dataclasses import replace

import click

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.local import database_url
from api.settings import Settings, process_environment
from api.supervisor import ChildSpec, Supervisor
from models.db import migrate as migrate_database

# Long enough for a request to end, short enough for a deployment not to wait for a subscriber.
_SHUTDOWN_SECONDS = 5
# Queries are limited to a thousand tokens: a larger message is refused before it has arrived.
_MESSAGE_BYTES = 1024 * 1024


@click.command()
@click.option("--host", help="What to listen on.  [default: CASEROLL_HOST or 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Likewise.  [default: CASEROLL_PORT or 8000]"
)
def serve(host: str | None, port: int | None) -> int:
    """Run the API; DATABASE_URL and REDIS_URL name its servers."""
    import uvicorn  # noqa: PLC0415 - the web stack is slow to import, other commands go without

    from api.app import create_app  # noqa: PLC0415

    settings = Settings.from_environment(process_environment())
    settings = replace(settings, host=host or settings.host, port=port or settings.port)
    listener = listen(settings.host, settings.port)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            ws="websockets-sansio",
            ws_max_size=_MESSAGE_BYTES,
            access_log=False,
            server_header=False,
            log_config=None,
            log_level="warning",
        )
    )
    server.run(sockets=[listener])
    return 0 if server.started else 1


@click.command()
@click.option("--processes", type=click.IntRange(1, 1000), help="[default: CASEROLL_WORKERS or 2]")
def worker(processes: int | None) -> int:
    """Run imports and send mails, in several processes; one that dies is started again."""
    logging.getLogger("api.supervisor").setLevel(logging.INFO)
    environ = process_environment()
    settings = Settings.from_environment(environ)
    with Supervisor([worker_spec(environ, processes or settings.workers)]) as supervisor:
        return supervisor.run()


@click.command()
@folder_option
def migrate(folder: DataFolder) -> None:
    """Bring the database's schema up to date; safe to run from several hosts at once."""
    asyncio.run(migrate_database(database_url(folder)))
    click.echo("The database is up to date.")


def worker_spec(environ: dict[str, str], count: int) -> ChildSpec:
    """Describe the worker processes; -P: a folder `api` where the user stands is not ours."""
    argv = (sys.executable, "-P", "-m", "api.worker")
    return ChildSpec(name="worker", argv=argv, env=environ, count=count)


def api_spec(environ: dict[str, str]) -> ChildSpec:
    """Describe the API's process."""
    argv = (sys.executable, "-P", "-m", "api.cli", "serve")
    return ChildSpec(name="api", argv=argv, env=environ)


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        RefusedError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror  # below: a name's look-up
        raise RefusedError(f"can't listen on {host} port {port}: {reason}.") from error
