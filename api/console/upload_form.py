"""Forms with a file: the fields that have come, and the file while it is still arriving."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from api.console.form import Form
from api.errors import HttpError, bad_request
from api.http.body import declared_length, read_blocks
from api.http.multipart.parser import MultipartBody

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from api.console.visit import Visit
    from api.schema.uploads.upload import UploadedFile
    from api.settings import Settings

# Two for each unknown name of a header. Together they take no more memory than a few requests.
_MOST_FIELDS = 256
_FIELD_BYTES = 16 * 1024
_MULTIPART = "multipart/form-data"


class UploadForm:
    """A form with a file.

    Attributes:
        body: what it is read from.
    """

    def __init__(self, request: Request) -> None:
        settings: Settings = request.app.state.services.settings
        limit = settings.limits.max_bytes + 2 * settings.max_request_bytes
        blocks = read_blocks(request, limit, settings.patience)
        content_type = request.headers.get("content-type", "")
        self.body = MultipartBody(content_type, blocks, _FIELD_BYTES, _MOST_FIELDS)

    @property
    def fields(self) -> Form:
        """The fields that have come."""
        return Form({name: [value] for name, value in self.body.fields.items()})

    @property
    def file(self) -> UploadedFile | None:
        """The file, from its first byte on; None if the form has none."""
        return next(iter(self.body.files.values()), None)

    def close(self) -> None:
        """Delete what has been stored of the file."""
        self.body.close()

    async def read_fields(self, last: str) -> None:
        """Read until all fields have come.

        A script sends the file behind them: then it is still arriving when this returns. A browser
        sends what the page has behind the file after it.

        Args:
            last: the field that comes after all others.

        Raises:
            HttpError: the body is malformed, too large, or arrives too slowly.
            ClientDisconnect: the client has left.
        """
        body = self.body
        while not body.is_whole and not (body.files and last in body.fields):
            await body.read_on()


@contextmanager
def receive_upload(visit: Visit) -> Iterator[UploadForm]:
    """Open the form with a file that a visitor sends; the file exists as long as the block.

    Raises:
        HttpError: the token may only read, or has too many uploads under way, or sends no such
            form.
    """
    # Before the file arrives.
    refuse_viewer(visit)
    if not is_upload(visit.request):
        raise bad_request("This form is sent with a file, as multipart/form-data.")
    with visit.context.quota.uploads.reserve(), closing(UploadForm(visit.request)) as form:
        yield form


def refuse_viewer(visit: Visit) -> None:
    """Refuse a token that may only read.

    Raises:
        HttpError: it may.
    """
    if not visit.is_admin:
        raise HttpError(403, "FORBIDDEN", "This token may only read.")


def is_upload(request: Request) -> bool:
    """Tell whether a form with a file is sent."""
    return request.headers.get("content-type", "").lower().startswith(_MULTIPART)


async def read_short_upload(request: Request) -> Form:
    """Read the fields of a form whose sender has to sign in first; none if its file is large.

    Raises:
        HttpError: the body can't be read.
    """
    settings: Settings = request.app.state.services.settings
    size = declared_length(request, settings.limits.max_bytes)
    if not 0 < size <= settings.max_request_bytes:
        return Form()
    with closing(UploadForm(request)) as form:
        while not form.body.is_whole:
            await form.body.read_on()
        return form.fields
