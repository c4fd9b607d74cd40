"""Addresses of the console, and what each request passes before its page answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.access.authentication import unavailable
from api.console.language import language_of
from api.console.pages.api_reference import run_query, show_reference, show_type
from api.console.pages.changes.actions import ACTIONS
from api.console.pages.changes.change_list import show_changes
from api.console.pages.import_types import show_import_types
from api.console.pages.importing.file import show_file
from api.console.pages.importing.file_preview import show_preview
from api.console.pages.importing.log import show_log
from api.console.pages.importing.new_import import (
    send_new_import,
    show_new_import,
    show_same_file,
)
from api.console.pages.importing.progress import live_import
from api.console.pages.importing.rows import show_rows
from api.console.pages.imports import live_imports, show_imports
from api.console.pages.lookup import look_up
from api.console.pages.people.assignments import show_assignment, show_assignments
from api.console.pages.people.cases import CASES
from api.console.pages.people.history import show_assignment_changes, show_history
from api.console.pages.people.users import USERS
from api.console.pages.preferences import change_language
from api.console.pages.problems.first_tab import show_first_tab
from api.console.pages.problems.left_out import leave_out
from api.console.pages.problems.problems import show_problems
from api.console.pages.problems.try_again import try_again
from api.console.pages.refusal import ask_to_sign_in, refuse_page
from api.console.pages.sign_in import show_sign_in, sign_in, sign_out
from api.console.pages.tokens import (
    make_token,
    revoke_token,
    show_made,
    show_new_token,
    show_revocation,
    show_tokens,
)
from api.console.rendering import root_of
from api.console.session import check_origin, open_session
from api.console.static_files import send_static
from api.console.visit import Visit
from api.errors import HttpError, log_incident, masked
from api.http.downloads import send_failed_rows, send_file, send_results, send_sample
from api.http.exports import send_export
from api.language import answer_in
from models.db import is_passing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from api.console.pages.people.entities import EntityScreens
    from api.http.downloads import Answer

    Page = Callable[[Visit], Awaitable[Response]]
    Endpoint = Callable[[Request], Awaitable[Response]]


def console_routes() -> list[Route]:
    """Return the routes of all screens."""
    return [
        Route("/", _lead_to_imports),
        Route("/console", _lead_to_imports),
        Route("/console/", _lead_to_imports),
        Route("/console/static/{version}/{name}", _open(send_static)),
        Route("/console/sign-in", _open(show_sign_in)),
        Route("/console/sign-in", _open(sign_in), methods=["POST"]),
        Route("/console/sign-out", _open(sign_out), methods=["POST"]),
        Route("/console/language", _open(change_language), methods=["POST"]),
        Route("/console/files/imports/{import_id}", _download(send_file)),
        Route("/console/files/imports/{import_id}/failed-rows.csv", _download(send_failed_rows)),
        Route("/console/files/imports/{import_id}/results.csv", _download(send_results)),
        Route("/console/files/samples/{name}", _download(send_sample)),
        Route("/console/files/{noun}.{extension}", _download(send_export)),
        *_screen("imports", show_imports),
        *_screen("imports/live", live_imports),
        *_new_import_screens(),
        *_import_screens(),
        *_screen("assignments", show_assignments),
        *_screen("assignments/{case}/{user}", show_assignment),
        *_entity_screens(USERS),
        *_entity_screens(CASES),
        *_screen("history", show_history),
        *_screen("history/assignments", show_assignment_changes),
        *_screen("lookup", look_up),
        *_screen("types", show_import_types),
        *_screen("tokens", show_tokens),
        *_screen("tokens/new", show_new_token, make_token),
        *_screen("tokens/made", show_made),
        *_screen("tokens/{id}/revoke", show_revocation, revoke_token),
        *_screen("api", show_reference, run_query),
        *_screen("api/types/{name}", show_type),
        # The last one: it takes what no other has.
        *_screen("{path:path}", _find_nothing, _find_nothing),
    ]


def _new_import_screens() -> list[Route]:
    """Return the routes of a new import, which come before those that have an import's ID."""
    return [
        *_screen("imports/new", show_new_import, send_new_import),
        _action("imports/new/preview", show_preview),
        *_screen("imports/new/same-file", show_same_file),
    ]


def _import_screens() -> list[Route]:
    """Return the routes of one import: its tabs, and what is done with it."""
    place = "imports/{import_id}"
    return [
        *_screen(place, show_first_tab),
        *_screen(f"{place}/live", live_import),
        *_screen(f"{place}/problems", show_problems, try_again),
        _action(f"{place}/problems/leave-out", leave_out),
        *_screen(f"{place}/changes", show_changes),
        *_screen(f"{place}/rows", show_rows),
        *_screen(f"{place}/file", show_file),
        *_screen(f"{place}/log", show_log),
        *(
            route
            for action in ACTIONS
            for route in _screen(f"{place}/{action.name}", action.show, action.carry_out)
        ),
    ]


def _screen(path: str, show: Page, change: Page | None = None) -> list[Route]:
    """Return the routes of a screen: its page, and what its forms are sent to."""
    routes = [Route(f"/console/{path}", _signed_in(show))]
    if change is not None:
        routes.append(Route(f"/console/{path}", _signed_in(change), methods=["POST"]))
    return routes


def _entity_screens(kind: EntityScreens) -> list[Route]:
    """Return the routes of the screens of cases, or of users."""
    return [
        *_screen(kind.place, kind.show_list),
        *_screen(f"{kind.place}/new", kind.show_new, kind.create),
        *_screen(f"{kind.place}/{{id}}", kind.show_one),
        *_screen(f"{kind.place}/{{id}}/edit", kind.show_form, kind.save),
    ]


def _action(path: str, change: Page) -> Route:
    """Return the route of a form that has no page of its own."""
    return Route(f"/console/{path}", _signed_in(change), methods=["POST"])


def _signed_in(page: Page) -> Endpoint:
    """Answer visitors with a valid token; others sign in and come back, with what they typed."""

    async def answer(request: Request) -> Response:
        try:
            context = await open_session(request)
        except HttpError as error:
            if error.status == 401:
                return await ask_to_sign_in(request, error)
            raise
        return await page(
            Visit(
                request=request,
                context=context,
                language=language_of(request),
                root=root_of(request),
            )
        )

    return _open(answer)


def _download(answer: Answer) -> Endpoint:
    """Answer a download with the session's token, as `/files` does with that of its header."""

    async def send(visit: Visit) -> Response:
        return await answer(visit.request, visit.context.token)

    return _signed_in(send)


def _open(endpoint: Endpoint) -> Endpoint:
    """Check where a form comes from, and answer an error by a page."""

    async def answer(request: Request) -> Response:
        language, services = language_of(request), request.app.state.services
        answer_in(language.code, services.registry.translators)
        try:
            if request.method == "POST":
                check_origin(request)
            return await endpoint(request)
        except HttpError as error:
            return await refuse_page(request, error)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:  # a bug, or the database is away
            return await refuse_page(request, _mask_bug(request, error))

    return answer


def _mask_bug(request: Request, error: Exception) -> HttpError:
    if is_passing(error):
        return unavailable()
    incident = log_incident(f"{request.method} {request.url.path}", error)
    return HttpError(500, "INTERNAL", masked(incident))


async def _find_nothing(_visit: Visit) -> Response:
    raise HttpError(404, "NOT_FOUND", "Check the address, or begin at the imports.")


async def _lead_to_imports(request: Request) -> Response:
    return RedirectResponse(f"{root_of(request)}/imports", 303)
