"""Forms: what a page of the console has sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from starlette.requests import Request

from api.console.form import Form, read_form
from api.settings import Settings


def request_with(body: bytes) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    state = SimpleNamespace(
        services=SimpleNamespace(settings=Settings(database_url="", redis_url=""))
    )
    scope = {"type": "http", "headers": [], "state": {}, "app": SimpleNamespace(state=state)}
    return Request(scope, receive)


async def test_line_ends() -> None:
    """Browsers write the ends of lines as forms do: a text comes as it was typed."""
    form = await read_form(request_with(b"about=a%0D%0Ab&was-about=a%0Ab&blank="))

    assert form == Form(about=["a\nb"], **{"was-about": ["a\nb"]}, blank=[""])


async def test_read_twice() -> None:
    """A form can be read again after its body has arrived."""
    request = request_with(b"name=May")

    assert await read_form(request) is await read_form(request)


def test_first() -> None:
    """A field's first value comes without blanks around it; a field that was not sent is empty."""
    form = Form(name=[" May ", "June"])

    assert (form.first("name"), form.first("type")) == ("May", "")
