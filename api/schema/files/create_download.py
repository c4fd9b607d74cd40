"""Links for browsers, which send no token with a download."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import argument, field

from api.access.context import Info
from api.access.download_links import FILES, make_link
from api.schema.input_errors import UserError, user_error

_LONGEST_PATH = 2_000


@strawberry.type(description="A link to a download.")
class DownloadPayload:
    url: str | None = field(
        default=None,
        description="Path of the download on this server, for one GET without a token; null after "
        "errors.",
    )
    expires_at: datetime | None = field(
        default=None, description="When the link ends if it is not used; null after errors."
    )
    user_errors: list[UserError] = field(
        default_factory=list,
        description="What was wrong; when there is anything, there is no link.",
    )


@strawberry.mutation(
    description="Make a link to a download that works once, for a minute, without a token: for "
    "browsers. It opens what this token opens; a token of any permission may make one."
)
async def create_download(
    info: Info,
    path: Annotated[
        str,
        argument(
            description="Path of a download of this API with its parameters, such as a "
            "`failedRowsUrl`, or `/files/assignments.csv?type=modify`."
        ),
    ],
) -> DownloadPayload:
    if len(path) > _LONGEST_PATH:
        message = f"{len(path):,} characters are too many; {_LONGEST_PATH:,} fit."
        return DownloadPayload(user_errors=[user_error("TOO_LONG", message, "path")])
    # As clients send paths: in ASCII, without what ends them.
    is_path = path.isascii() and path.isprintable() and not set(path) & set(" #")
    if not (is_path and path.startswith(FILES)):
        message = f"There is no such download; the paths of downloads begin with {FILES}."
        return DownloadPayload(user_errors=[user_error("NOT_FOUND", message, "path")])
    link = await make_link(info.context, path)
    return DownloadPayload(url=link.url, expires_at=link.expires_at)
