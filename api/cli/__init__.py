"""The `caseroll` command."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from api.cli.failure import missing_extra, print_error
from api.processes.exit_code import EXIT_INTERRUPTED, EXIT_REFUSED, EXIT_UNREAD
from api.processes.repeated_lines import leave_out_repeated_lines

_COMMANDS = {
    "app": "api.cli.app:app",
    "apply": "api.cli.plans:apply",
    "cancel": "api.cli.plans:cancel",
    "changes": "api.cli.changes:changes",
    "demo": "api.cli.demo:demo",
    "export": "api.cli.export:export",
    "failed-rows": "api.cli.failed_rows:failed_rows",
    "results": "api.cli.failed_rows:results",
    "groups": "api.cli.error_groups:groups",
    "history": "api.cli.history:history",
    "import": "api.cli.imports:import_",
    "import-types": "api.cli.import_types:import_types",
    "importers": "api.cli.plugins:importers",
    "imports": "api.cli.imports:imports",
    "migrate": "api.cli.processes:migrate",
    "new-importer": "api.cli.new_importer:new_importer",
    "release": "api.cli.plans:release",
    "retry": "api.cli.error_groups:retry",
    "role": "api.cli.app:role",
    "sample": "api.cli.import_types:sample",
    "serve": "api.cli.processes:serve",
    "token": "api.cli.token:token",
    "undo": "api.cli.plans:undo",
    "up": "api.cli.up:up",
    "webhook": "api.cli.webhook:webhook",
    "worker": "api.cli.processes:worker",
}


class _LazyGroup(click.Group):
    """Imports a command when it is used: all of them together take over a second."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name].split(":")
        try:
            command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            return _stand_in(name, error)
        assert isinstance(command, click.Command)
        return command


def _stand_in(name: str, error: ModuleNotFoundError) -> click.Command:
    """Return a command that raises the error when it runs, so that `--help` can list it.

    Raises:
        ModuleNotFoundError: at once, if no extra of Caseroll brings the module.
    """
    extra = missing_extra(error)
    if extra is None:
        raise error

    def fail(arguments: object) -> NoReturn:
        raise error

    return click.Command(
        name,
        callback=fail,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
        help=f"Needs caseroll[{extra}].",
    )


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="caseroll", prog_name="caseroll")
@click.option("--debug", is_flag=True, help="Show tracebacks and every log line.")
def cli(*, debug: bool) -> None:
    """Change many user assignments to cases at once, by file.

    `caseroll up --demo` runs everything on this machine; `caseroll import` uploads a file.
    """
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    if not debug:
        leave_out_repeated_lines()
    for noisy in ("asyncio", "asyncpg", "gql", "python_multipart", "websockets"):
        logging.getLogger(noisy).setLevel(logging.DEBUG if debug else logging.ERROR)


def main() -> NoReturn:
    """Run the command; every error ends in one clear line and an exit code, never a traceback."""
    sys.exit(_end_output(_run()))


def _run() -> int:
    try:
        # In its standalone mode, click would choose messages and exit codes.
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return EXIT_REFUSED
    except SystemExit:  # click's answer to a broken pipe, and to nothing else
        return EXIT_UNREAD
    except Exception as error:
        # The group may not have run: a command can fail while its module is imported.
        if "--debug" in sys.argv:
            raise
        print_error(error)
        return EXIT_REFUSED
    return code if isinstance(code, int) else 0


def _end_output(code: int) -> int:
    """Write what is left of the output, and return the exit code: another one if that fails."""
    try:
        if sys.__stdout__:  # None where the command was started without one
            sys.__stdout__.flush()
    except OSError as error:
        # Python would try once more when it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            return EXIT_UNREAD
        if not code:
            print_error(error)
            return EXIT_REFUSED
    return code
