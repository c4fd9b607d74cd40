"""Mutations that return an import: sent, watched to its end, and summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from api.cli.import_summary import (
    IMPORT_FIELDS,
    import_exit_code,
    print_errors,
    print_summary,
    print_warnings,
    read_summary,
)
from api.cli.import_watch import watch
from api.cli.output import print_json
from api.processes.exit_code import EXIT_REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.cli.client import ApiClient
    from api.cli.folder import DataFolder
    from api.cli.header_hints import HeaderHints
    from api.cli.import_summary import ImportJson

RELEASE = """
mutation ($id: ID!) {
  releaseImport(id: $id) { import { ...Fields } userErrors { code message field } }
}
"""

watch_option = click.option(
    "--watch/--no-watch",
    "watched",
    default=True,
    help="Follow it to its end, or until it is held.  [default: watch]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportMutation:
    """A mutation that returns an import, and how to go on from there.

    Attributes:
        document: the mutation; it may use the fragment `Fields`.
        is_released: whether the import is released if it is held.
        hints: says what to do about a header that is not its type's.
        exit_code: of the import's last state.
    """

    document: str
    folder: DataFolder
    is_watched: bool
    as_json: bool
    is_released: bool = False
    hints: HeaderHints | None = None
    exit_code: Callable[[ImportJson], int] = import_exit_code

    async def run(self, api: ApiClient, **variables: object) -> int:
        """Send the mutation; return the exit code."""
        payload = await _send(api, self.document, variables)
        if payload["userErrors"]:
            if self.as_json:
                print_json(payload)
            print_errors(payload["userErrors"])
            await self._print_hints(api, payload["userErrors"])
            return EXIT_REFUSED
        print_warnings(payload.get("warnings", []))
        state: ImportJson = payload["import"]
        if self.is_watched:
            state = await self._watched(api, state["id"])
        if self.as_json:
            print_json(state)
        elif self.is_watched:
            print_summary(state, self.folder)
        else:
            click.echo(state["id"])
        await self._print_hints(api, state["errors"])
        return self.exit_code(state)

    async def _print_hints(self, api: ApiClient, errors: list[dict[str, Any]]) -> None:
        if self.hints and not self.as_json:
            await self.hints.print(api, errors)

    async def _watched(self, api: ApiClient, import_id: str) -> ImportJson:
        """Follow an import; where it is held and may be released, further on."""
        await watch(api, import_id)
        state = await read_summary(api, import_id)
        if not self.is_released or state["status"] != "HELD":
            return state
        refusal = (await _send(api, RELEASE, {"id": import_id}))["userErrors"]
        print_errors(refusal)
        if not refusal:
            await watch(api, import_id)
        return await read_summary(api, import_id)


async def _send(api: ApiClient, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Send a mutation of one field, and return the payload."""
    data = await api.execute(document + IMPORT_FIELDS, **variables)
    [payload] = data.values()
    return dict(payload)
