"""Requests to the console as a browser sends them, without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.api.api_fixture import Api

OWN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Answer:
    """What a page is answered with."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")


class Browser:
    """Keeps cookies, and follows no redirect."""

    def __init__(self, api: Api, http: aiohttp.ClientSession) -> None:
        self._url = api.url
        self.http = http

    async def get(self, path: str, **headers: str) -> Answer:
        """Open an address."""
        sent = {"Sec-Fetch-Site": "none", **_named(headers)}
        address = f"{self._url}{path}"
        async with self.http.get(address, headers=sent, allow_redirects=False) as got:
            return Answer(got.status, await got.text(), got.headers)

    async def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None, **headers: str
    ) -> Answer:
        """Send a form of one of our pages."""
        pairs = [
            (name, value)
            for name, values in (fields or {}).items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        sent = {**OWN, **_named(headers)}
        async with self.http.post(
            f"{self._url}{path}", data=pairs, headers=sent, allow_redirects=False
        ) as got:
            return Answer(got.status, await got.text(), got.headers)

    async def sign_in(self, token: str) -> Answer:
        """Sign in."""
        return await self.post("/console/sign-in", {"token": token})


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def open_browser(api: Api) -> AsyncIterator[Browser]:
    """Open a browser without any cookies."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Browser(api, http)
