"""`caseroll webhook`: URLs that are told of imports."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from api.cli.client import find_api
from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option
from api.cli.output import json_option, print_json, print_table, say
from api.cli.printable import printable

_EVENTS = ("IMPORT_FINISHED", "IMPORT_HELD")
_PAGE = 100

_CREATE = """
mutation ($input: CreateWebhookInput!) {
  createWebhook(input: $input) { webhook { id url events } secret userErrors { message field } }
}
"""
_LIST = """
{ webhooks(first: 100) { edges { node { id url events description createdAt disabledAt } } } }
"""
_DELETE = """
mutation ($id: ID!) { deleteWebhook(id: $id) { webhook { url } userErrors { message } } }
"""
_ENABLE = """
mutation ($id: ID!) { enableWebhook(id: $id) { webhook { url } userErrors { message } } }
"""
_DELIVERIES = """
query ($id: ID!, $first: Int!) {
  node(id: $id) {
    ... on Webhook {
      deliveries(first: $first) { edges { node {
        id event status attempts responseStatus error nextAttemptAt createdAt import { id name }
      } } }
    }
  }
}
"""


@click.group()
def webhook() -> None:
    """Manage webhooks: URLs that get a signed message when an import ends."""


@webhook.command()
@click.argument("url")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice(_EVENTS, case_sensitive=False),
    help="What to tell it of; may be repeated.  [default: IMPORT_FINISHED]",
)
@click.option("--description", default="", help="What it is for.")
@json_option
@folder_option
def add(
    url: str, events: tuple[str, ...], description: str, folder: DataFolder, *, as_json: bool
) -> None:
    """Add a webhook at URL, and print its secret; that can't be shown again."""
    values = {"url": url, "events": list(events) or [_EVENTS[0]], "description": description}
    payload = _execute(folder, _CREATE, input=values)["createWebhook"]
    _check_payload(payload)
    if as_json:
        print_json({**payload["webhook"], "secret": payload["secret"]})
        return
    say(f"Added {payload['webhook']['id']}. Its messages are signed with this secret:")
    click.echo(payload["secret"])


@webhook.command("list")
@json_option
@folder_option
def list_(folder: DataFolder, *, as_json: bool) -> None:
    """List the app's webhooks."""
    found = [edge["node"] for edge in _execute(folder, _LIST)["webhooks"]["edges"]]
    if as_json:
        print_json(found)
        return
    _print_objects(found, ["id", "url", "events", "description", "createdAt", "disabledAt"])


@webhook.command()
@click.argument("webhook_id", metavar="ID")
@folder_option
def enable(webhook_id: str, folder: DataFolder) -> None:
    """Let the webhook with this ID get messages again, after it was disabled."""
    payload = _execute(folder, _ENABLE, id=webhook_id)["enableWebhook"]
    _check_payload(payload)
    click.echo(f"Enabled the webhook at {printable(payload['webhook']['url'])}.")


@webhook.command()
@click.argument("webhook_id", metavar="ID")
@folder_option
def remove(webhook_id: str, folder: DataFolder) -> None:
    """Remove the webhook with this ID, with its messages."""
    payload = _execute(folder, _DELETE, id=webhook_id)["deleteWebhook"]
    _check_payload(payload)
    click.echo(f"Removed the webhook at {printable(payload['webhook']['url'])}.")


@webhook.command()
@click.argument("webhook_id", metavar="ID")
@click.option("--last", type=click.IntRange(1, _PAGE), default=20, show_default=True)
@json_option
@folder_option
def deliveries(webhook_id: str, last: int, folder: DataFolder, *, as_json: bool) -> None:
    """List the newest messages to the webhook with this ID, and what became of them."""
    node = _execute(folder, _DELIVERIES, id=webhook_id, first=last)["node"]
    # What is no webhook has no field of that name.
    if not node:
        raise RefusedError(f"there is no webhook {webhook_id!r}; see `caseroll webhook list`.")
    found = [edge["node"] for edge in node["deliveries"]["edges"]]
    if as_json:
        print_json(found)
        return
    _print_objects(
        found,
        [
            *("import", "event", "status", "attempts", "responseStatus", "error"),
            *("createdAt", "nextAttemptAt"),
        ],
    )


def _execute(folder: DataFolder, document: str, **variables: object) -> dict[str, Any]:
    return asyncio.run(find_api(folder).execute(document, **variables))


def _check_payload(payload: dict[str, Any]) -> None:
    if payload["userErrors"]:
        raise RefusedError(" ".join(each["message"] for each in payload["userErrors"]))


def _print_objects(found: list[dict[str, Any]], names: list[str]) -> None:
    """Print a table with a column for each field."""
    print_table(names, [[_show_cell(each[name]) for name in names] for each in found])


def _show_cell(value: Any) -> Any:
    """Show a list as its items, and an object by its name."""
    if isinstance(value, list):
        return ", ".join(value)
    return value["name"] if isinstance(value, dict) else value
