"""Webhooks: URLs that are told of the app's imports, and the messages to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import strawberry
from strawberry import argument, field

from api.access.context import Context, Info
from api.batch.row_type import RowColumn, RowType, node_id
from api.errors import ApiError
from api.schema.connection import After, Before, Connection, First, Last, PageArguments, connect
from api.schema.importing.imports import IMPORT_ROW, Import
from api.schema.input_errors import InputErrors, UserError, user_error
from api.schema.node import Node, key_of, load_node, load_together
from api.schema.shown_enum import show_enum
from api.webhook_address import find_url_problem
from models.listing import IMPORTS, WEBHOOK_DELIVERIES, WEBHOOKS
from models.webhook import (
    MOST_WEBHOOKS,
    DeliveryStatus,
    NewWebhook,
    WebhookEvent,
    allow_messages,
    insert_webhook,
    make_secret,
    remove_webhook,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION_LONGEST = 200

show_enum(WebhookEvent, description="What a webhook may be told of.")
show_enum(DeliveryStatus, description="What became of a message to a webhook.")


@strawberry.type(description="A message to a webhook, and what became of it.")
class WebhookDelivery:
    import_key: strawberry.Private[int]
    id: strawberry.ID = field(
        description="The message's `webhook-id`, the same for each attempt to send it."
    )
    event: WebhookEvent = field(description="What it tells of.")
    status: DeliveryStatus = field(description="What became of it.")
    attempts: int = field(description="How often it was sent, or is being sent.")
    response_status: int | None = field(
        description="The HTTP status that the receiver last answered; null when it gave none."
    )
    error: str | None = field(description="What went wrong at the last attempt.")
    next_attempt_at: datetime | None = field(
        description="When it is sent again; null when it is delivered or given up."
    )
    created_at: datetime = field(description="When it happened.")

    @strawberry.field(name="import", description="The import that it tells of, as it is now.")
    async def import_(self, info: Info) -> Import:
        """Load the import, together with those of other deliveries."""
        found = await load_together(IMPORTS, IMPORT_ROW, info.context, self.import_key)
        return cast("Import", found)


def _next_attempt_at(status: str, time: datetime) -> datetime | None:
    return time if DeliveryStatus(status) is DeliveryStatus.PENDING else None


DELIVERY_ROW = RowType(
    WebhookDelivery,
    id=node_id("WebhookDelivery"),
    import_key=RowColumn(("import_id",)),
    event=RowColumn(("event",), WebhookEvent),
    status=RowColumn(("status",), DeliveryStatus),
    next_attempt_at=RowColumn(("status", "next_attempt_at"), _next_attempt_at),
)


@strawberry.type(description="A URL that gets a signed message at some events.")
class Webhook(Node):
    key: strawberry.Private[int]
    url: str = field(description="Where the messages go.")
    events: list[WebhookEvent] = field(description="What it is told of.")
    description: str = field(description="What it is for; may be empty.")
    created_at: datetime = field(description="When it was created.")
    disabled_at: datetime | None = field(
        description="Since when it gets no more messages: for a day none was accepted, or the "
        "receiver answered 410. Null while it gets them."
    )

    @strawberry.field(description="The messages to it, newest first; kept until it is deleted.")
    async def deliveries(
        self, info: Info, *, first: First = None, after: After = None
    ) -> Connection[WebhookDelivery]:
        arguments = PageArguments(first=first, after=after)
        return await connect(
            info.context, WEBHOOK_DELIVERIES, DELIVERY_ROW, arguments, parent=self.key
        )


def _events_of(stored: Sequence[str]) -> list[WebhookEvent]:
    return list(map(WebhookEvent, stored))


WEBHOOK_ROW = RowType(
    Webhook,
    id=node_id("Webhook"),
    key=RowColumn(("id",)),
    events=RowColumn(("events",), _events_of),
)


@strawberry.input(description="A new webhook.")
class CreateWebhookInput:
    url: str = field(
        description="Where the messages go: an `https://` URL of a host in the public Internet, or "
        "in a network that the operator has allowed. Redirects are not followed."
    )
    events: list[WebhookEvent] = field(description="What it is to be told of; at least one.")
    description: str | None = field(default="", description="What it is for, up to 200 characters.")


@strawberry.type(description="What came of creating, enabling or deleting a webhook.")
class WebhookPayload:
    webhook: Webhook | None = field(
        description="The webhook; if it was deleted, as it was before. Null after errors."
    )
    secret: str | None = field(
        default=None,
        description="What the messages are signed with, as Standard Webhooks says. Only the answer "
        "that creates the webhook has it; it can't be shown again.",
    )
    user_errors: list[UserError] = field(
        default_factory=list,
        description="What was wrong; when there is anything, nothing has been done.",
    )


@strawberry.field(
    name="webhooks", description="The app's webhooks, oldest first; for ADMIN tokens."
)
async def list_webhooks(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Webhook]:
    info.context.require_admin("read webhooks")
    arguments = PageArguments(first=first, after=after, last=last, before=before)
    return await connect(info.context, WEBHOOKS, WEBHOOK_ROW, arguments)


async def load_webhook(context: Context, key: int) -> Webhook | None:
    context.require_admin("read webhooks")
    return await load_together(WEBHOOKS, WEBHOOK_ROW, context, key)


@strawberry.mutation(
    description="Have messages sent to a URL when something happens to the app's imports."
)
async def create_webhook(
    info: Info,
    values: Annotated[CreateWebhookInput, argument(name="input", description="The webhook.")],
) -> WebhookPayload:
    context = info.context
    errors = InputErrors()
    new = _read_webhook(context, values, errors)
    if errors.found:
        return _refuse_webhook(*errors.found)
    key = await context.scope.write(insert_webhook, new, by=context.actor)
    if key is None:
        message = f"The app has {MOST_WEBHOOKS} webhooks, which are the most; delete one first."
        return _refuse_webhook(user_error("TOO_MANY_WEBHOOKS", message))
    webhook = await load_node(context, WEBHOOKS, WEBHOOK_ROW, key)
    if webhook is None:
        raise ApiError("NOT_FOUND", "The webhook is gone.")
    return WebhookPayload(webhook=webhook, secret=new.secret)


def _read_webhook(context: Context, values: CreateWebhookInput, errors: InputErrors) -> NewWebhook:
    allowed = context.services.settings.webhook_networks
    if problem := find_url_problem(values.url, allowed):
        errors.add("INVALID_URL", "url", problem)
    if not values.events:
        errors.add("REQUIRED", "events", "Name at least one event.")
    return NewWebhook(
        url=values.url,
        events=list(dict.fromkeys(event.value for event in values.events)),
        description=errors.text("description", values.description, longest=_DESCRIPTION_LONGEST),
        secret=make_secret(),
    )


@strawberry.mutation(
    description="Let a disabled webhook get messages again, from now on; those given up stay so."
)
async def enable_webhook(
    info: Info,
    node_id: Annotated[strawberry.ID, argument(name="id", description="The webhook's `id`.")],
) -> WebhookPayload:
    context = info.context
    key = key_of("Webhook", node_id)
    if key is None or not await context.scope.write(allow_messages, key, by=context.actor):
        return _refuse_webhook(user_error("NOT_FOUND", "There is no such webhook.", "id"))
    return WebhookPayload(webhook=await load_node(context, WEBHOOKS, WEBHOOK_ROW, key))


@strawberry.mutation(
    description="Delete a webhook, with its messages; those that wait are not sent any more."
)
async def delete_webhook(
    info: Info,
    node_id: Annotated[strawberry.ID, argument(name="id", description="The webhook's `id`.")],
) -> WebhookPayload:
    context = info.context
    key = key_of("Webhook", node_id)
    webhook = None if key is None else await load_node(context, WEBHOOKS, WEBHOOK_ROW, key)
    if key is None or not await context.scope.write(remove_webhook, key, by=context.actor):
        return _refuse_webhook(user_error("NOT_FOUND", "There is no such webhook.", "id"))
    return WebhookPayload(webhook=webhook)


def _refuse_webhook(*errors: UserError) -> WebhookPayload:
    return WebhookPayload(webhook=None, user_errors=list(errors))
