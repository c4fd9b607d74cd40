"""`caseroll up`: everything on one machine."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.processes import api_spec, listen, print_failed_migrations, worker_spec
from api.cli.welcome import Welcome
from api.demo.load import create_demo
from api.processes.embedded_postgres import EmbeddedPostgres
from api.processes.embedded_valkey import EmbeddedValkey
from api.processes.exit_code import EXIT_REFUSED
from api.processes.supervisor import Supervisor
from api.settings import Settings, process_environment
from importers.plugins.registry import load
from models.app import ApiToken, App, Permission, create_app, create_token, token_digest
from models.db import database, migrate

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from api.processes.embedded_server import EmbeddedServer
    from importers.plugins.registry import Registry

_PORTS_TRIED = 100


@click.command()
@click.option("--demo", is_flag=True, help="With an app full of cases and users to try things on.")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: the first free from 8000]")
@click.option("--workers", type=click.IntRange(1, 1000), help="[default: CASEROLL_WORKERS or 2]")
@folder_option
def up(port: int | None, workers: int | None, folder: DataFolder, *, demo: bool) -> int:
    """Run everything on this machine, with nothing installed beforehand; Ctrl-C stops it.

    Starts a PostgreSQL and a Valkey with their data in the folder, unless DATABASE_URL or REDIS_URL
    names others. Started again on the same folder, it continues where it stopped.
    """
    # The same way out as for Ctrl-C, on which the ExitStack stops all that was started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # it raises KeyboardInterrupt
    environ = process_environment()
    if port:
        environ["CASEROLL_PORT"] = str(port)
    if workers:
        environ["CASEROLL_WORKERS"] = str(workers)
    try:
        with ExitStack() as stack:
            stack.enter_context(folder.locked())
            return _run(environ, folder, stack, demo=demo)
    except KeyboardInterrupt:
        return 0


def _run(environ: dict[str, str], folder: DataFolder, stack: ExitStack, *, demo: bool) -> int:
    servers = _choose_servers(environ, folder)
    # Without a mail server mails become files, so that `up` needs nothing else.
    if not environ.get("CASEROLL_SMTP_URL", "").strip():
        environ.setdefault("CASEROLL_MAIL_DIR", str(folder.mail.resolve()))
    # Receivers of webhooks are tried out on the same machine.
    environ.setdefault("CASEROLL_WEBHOOK_NETWORKS", "127.0.0.0/8 ::1")
    settings = Settings.from_environment(environ)
    registry = load(settings.plugins)
    is_fixed = bool(environ.get("CASEROLL_PORT", "").strip())
    # Before the servers start, which takes seconds: a port that is taken is refused at once.
    listener = stack.enter_context(_listen(settings, is_fixed=is_fixed))
    environ["CASEROLL_PORT"] = str(listener.getsockname()[1])
    # Once more, as the port may be another now.
    settings = Settings.from_environment(environ)
    for server in servers:
        stack.enter_context(server)
    old_token = folder.read("admin.token")
    token = asyncio.run(_prepare(settings.database_url, old_token, registry, demo=demo))
    welcome = Welcome(settings, folder, token)
    notes = {"admin.token": token, "database.url": settings.database_url, "url": welcome.url}
    for name, text in notes.items():
        folder.write(name, text)
    # Other commands take these notes for a Caseroll that runs.
    stack.callback(folder.remove, "database.url")
    stack.callback(folder.remove, "url")
    children = [api_spec(environ, listener), worker_spec(environ, settings.workers)]
    supervisor = stack.enter_context(Supervisor(children, servers=servers))
    code = supervisor.run(welcome.when_ready)
    click.echo("Stopped: see above." if code == EXIT_REFUSED else "Stopping.", err=True)
    return code


async def _prepare(url: str, old_token: str | None, registry: Registry, *, demo: bool) -> str:
    """Migrate the database, create an app if there is none, and return an admin's token.

    Returns:
        the old token if it still opens the right app, which is the demo app if that is wanted.
    """
    failed = await migrate(url, registry.migrations, registry.own_tables)
    print_failed_migrations(registry, failed)
    async with database(url, connections=2):
        app = await create_demo() if demo else None
        if old_token and await _is_good(old_token, app):
            return old_token
        app = app or await App.all().order_by("id").first() or await create_app("main", "Main")
        return await create_token(app, "caseroll up", Permission.ADMIN)


async def _is_good(token: str, app: App | None) -> bool:
    found = await ApiToken.get_or_none(digest=token_digest(token), revoked_at=None)
    if found is None or found.permission is not Permission.ADMIN:
        return False
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        return False
    return app is None or app.id == found.app_id


def _choose_servers(environ: dict[str, str], folder: DataFolder) -> Sequence[EmbeddedServer]:
    """Return the servers to start, for which the environment has no URL, and set their URLs."""
    servers: list[EmbeddedServer] = []
    if not environ.get("DATABASE_URL", "").strip():
        postgres = EmbeddedPostgres(folder.path / "postgres")
        environ["DATABASE_URL"] = postgres.url
        servers.append(postgres)
    if not environ.get("REDIS_URL", "").strip():
        valkey = EmbeddedValkey(folder.path / "valkey")
        environ["REDIS_URL"] = valkey.url
        servers.append(valkey)
    return servers


def _listen(settings: Settings, *, is_fixed: bool) -> socket.socket:
    """Listen on the fixed port, or on the first free one from the default upwards.

    Raises:
        RefusedError: the port, or each one that was tried, is taken.
    """
    last = settings.port if is_fixed else settings.port + _PORTS_TRIED
    for port in range(settings.port, last):
        with suppress(RefusedError):
            return listen(settings.host, port)
    return listen(settings.host, last)
