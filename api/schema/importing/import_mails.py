"""The mails of an import: to users about their assignments, and to those told of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry
from strawberry import field

from models.mail import MOST_COUNTED, count_mails

if TYPE_CHECKING:
    from api.access.context import Context


@strawberry.type(description="How many mails an import has caused, by what became of them.")
class ImportMails:
    waiting: int = field(description="Are to be sent, or are being sent.")
    sent: int = field(description="Were taken by the mail server.")
    failed: int = field(description="Were given up.")
    unknown: int = field(
        description="May have been sent: the worker stopped while it talked to the mail server. "
        "They are not sent a second time."
    )
    is_complete: bool = field(
        description=f"Whether all were counted; of more than {MOST_COUNTED:,}, only as many are."
    )


async def find_import_mails(context: Context, key: int) -> ImportMails:
    counts = await context.scope.read(count_mails, key)
    return ImportMails(**counts._asdict())
