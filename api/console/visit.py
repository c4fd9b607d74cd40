"""A visit: one request of a signed-in visitor, with what a page needs to answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse

from api.console.operation import run_operation
from api.console.rendering import render_page
from models.app import Permission

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from api.access.context import Context
    from api.console.language import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a signed-in visitor.

    Args:
        root: the path of the console, as the browser sees it, such as `/console`.
    """

    request: Request
    context: Context
    language: Language
    root: str

    @property
    def is_admin(self) -> bool:
        """Whether the token may change anything."""
        return self.context.token.permission is Permission.ADMIN

    def argument(self, name: str) -> str | None:
        """Return a parameter of the address, None if it is blank."""
        return self.request.query_params.get(name, "").strip() or None

    def arguments(self, name: str) -> list[str]:
        """Return all values of a parameter of the address."""
        return [value for value in self.request.query_params.getlist(name) if value]

    def path(self, name: str) -> str:
        """Return a part of the address, such as an import's ID."""
        return str(self.request.path_params[name])

    async def run(self, operation: str, /, **variables: Any) -> dict[str, Any]:
        """Run an operation with the visitor's token, and return its data.

        Raises:
            HttpError: it is refused; the visitor gets a page that says so.
        """
        return await run_operation(self.context, operation, variables)

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Render a page, in the frame that all pages have.

        Args:
            values: what the template is given; `data` is the operation's, with the frame's fields.
        """
        return render_page(self.request, self.language, template, status, visit=self, **values)

    def address(self, place: str, **parameters: Any) -> str:
        """Write the address of a page of the console."""
        given = {name: value for name, value in parameters.items() if value}
        query = urlencode(given, doseq=True)
        return f"{self.root}/{place}{'?' if query else ''}{query}"

    def go(self, place: str, **parameters: Any) -> Response:
        """Lead to a page after a form was carried out, so that a reload does not repeat it."""
        return RedirectResponse(self.address(place, **parameters), 303)
