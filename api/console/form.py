"""Forms: what a page of the console has sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from api.errors import bad_request
from api.http.body import read_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from api.settings import Settings

# A grid of a hundred rows of twenty columns has fewer.
_MOST_FIELDS = 4_000


class Form(dict[str, list[str]]):
    """The fields of a form, each with all its values."""

    def first(self, name: str) -> str:
        """Return a field's first value without blanks around it, or an empty text."""
        return self.get(name, [""])[0].strip()

    def all(self, name: str) -> list[str]:
        """Return the values of a field that are not empty."""
        return [value for value in self.get(name, ()) if value]


async def read_form(request: Request) -> Form:
    """Read a form's fields; who asks again gets them again.

    Raises:
        HttpError: the body is no form, or larger than a request may be.
    """
    if not hasattr(request.state, "form"):
        request.state.form = await _receive_form(request)
    form: Form = request.state.form
    return form


async def _receive_form(request: Request) -> Form:
    settings: Settings = request.app.state.services.settings
    body = await read_body(request, settings.max_request_bytes, settings.patience)
    try:
        fields = parse_qs(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise bad_request(
            "The form can't be read: it has too many fields, or is not UTF-8."
        ) from error
    # Browsers write the ends of lines as forms do.
    return Form(
        {name: [each.replace("\r\n", "\n") for each in values] for name, values in fields.items()}
    )
