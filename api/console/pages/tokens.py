"""Tokens: who may use the app; made, shown once with a link to sign in, and revoked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from api.console.filled_form import FilledForm, open_form, read_filled_form
from api.console.form import read_form
from api.console.paging import nodes, page_links, page_variables
from api.console.session import forget_cookie, keep_cookie
from api.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from api.console.visit import Visit

_FIELDS = ("name", "permission", "days")
_AS_OPENED = {"permission": "VIEWER", "days": "90"}
# Where the link to sign in with a new token waits for the page that shows it.
_MADE, _MADE_PLACE, _MADE_SECONDS = "caseroll_made", "tokens/made", 60
LIFETIMES = ("7", "30", "90", "365", "")
"""Days that a new token can be made for; blank is for ever."""


class TokenLine(NamedTuple):
    """A token, and whether it still opens the app: `VALID`, `EXPIRED` or `REVOKED`."""

    token: Mapping[str, Any]
    state: str


async def show_tokens(visit: Visit) -> Response:
    """Show all tokens."""
    data = await visit.run("tokens", **page_variables(visit))
    now = datetime.now(UTC)
    return visit.page(
        "tokens.html",
        data=data,
        tokens=[TokenLine(each, token_state(each, now)) for each in nodes(data["tokens"])],
        links=page_links(visit, data["tokens"]),
    )


async def show_new_token(visit: Visit) -> Response:
    """Show the form that makes a token."""
    if not visit.is_admin:
        raise HttpError(403, "FORBIDDEN", "Only ADMIN tokens may make tokens.")
    return await _show_form(visit, open_form(_FIELDS, _AS_OPENED))


async def make_token(visit: Visit) -> Response:
    """Make a token, and lead to the page that shows it, so that a reload makes no other."""
    form = read_filled_form(await read_form(visit.request), _FIELDS)
    data = await visit.run("create_token", input=_read_input(form, datetime.now(UTC)))
    payload = data["createToken"]
    if payload["userErrors"]:
        return await _show_form(visit, replace(form, problems=payload["userErrors"]))
    sign_in = f"{_origin_of(visit.request)}{visit.root}/sign-in"
    response = visit.go(_MADE_PLACE)
    # Not in the address, which histories and logs keep.
    made = f"{payload['token']['id']} {sign_in}#token={payload['secret']}"
    path = visit.address(_MADE_PLACE)
    keep_cookie(visit.request, response, _MADE, made, path=path, seconds=_MADE_SECONDS)
    return response


async def show_made(visit: Visit) -> Response:
    """Show a new token: this once, as the API keeps only its digest, and its cookie goes."""
    key, _, link = visit.request.cookies.get(_MADE, "").partition(" ")
    data = await visit.run("token", id=key)
    response = visit.page(
        "token_made.html",
        200 if data["node"] else 410,
        data=data,
        token=data["node"],
        secret=link.partition("#token=")[2],
        link=link,
    )
    forget_cookie(response, _MADE, path=visit.address(_MADE_PLACE))
    return response


async def show_revocation(visit: Visit) -> Response:
    """Ask whether a token is to be revoked."""
    data = await visit.run("token", id=visit.path("id"))
    if not data["node"]:
        raise HttpError(404, "NOT_FOUND", "There is no such token.")
    return visit.page("token_revocation.html", data=data, token=data["node"])


async def revoke_token(visit: Visit) -> Response:
    """Revoke a token; whose own it is, signs in anew."""
    revoked = await visit.run("revoke_token", id=visit.path("id"))
    if errors := revoked["revokeToken"]["userErrors"]:
        raise HttpError(404, errors[0]["code"], errors[0]["message"])
    return visit.go("tokens")


async def _show_form(visit: Visit, form: FilledForm) -> Response:
    return visit.page(
        "token_form.html",
        status=422 if form.problems else 200,
        data=await visit.run("new_token"),
        form=form,
        lifetimes=LIFETIMES,
    )


def token_state(token: Mapping[str, Any], now: datetime) -> str:
    """Tell whether a token still opens the app."""
    if token["revokedAt"]:
        return "REVOKED"
    ends = token["expiresAt"]
    return "EXPIRED" if ends and datetime.fromisoformat(ends) <= now else "VALID"


def _read_input(form: FilledForm, now: datetime) -> dict[str, Any]:
    """Return the mutation's input; what is no choice of the form is the least of them."""
    values = form.values
    days = values.get("days", "")
    lifetime = int(days) if days in LIFETIMES and days else None
    if days not in LIFETIMES:
        lifetime = int(LIFETIMES[0])
    return {
        "name": values.get("name", ""),
        "permission": "ADMIN" if values.get("permission") == "ADMIN" else "VIEWER",
        "expiresAt": (now + timedelta(lifetime)).isoformat() if lifetime else None,
    }


def _origin_of(request: Request) -> str:
    """Return how the browser calls this server, also behind a proxy."""
    origin = request.headers.get("origin", "null")
    return f"{request.url.scheme}://{request.url.netloc}" if origin == "null" else origin
