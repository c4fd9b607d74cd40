"""The command line as a client of the GraphQL API."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from gql import Client, FileVar, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import (
    TransportError,
    TransportProtocolError,
    TransportQueryError,
    TransportServerError,
)
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import WebSocketException

from api.cli.failure import RefusedError
from api.settings import ClientSettings, process_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from api.cli.folder import DataFolder

# Each step is limited, not the whole: a large upload may take hours as long as bytes move.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=300)
_BLOCK_BYTES = 64 * 1024
_UNAUTHORIZED = 401
# gql falls back to the legacy protocol if the server names none: offer the current one alone.
_SUBPROTOCOL = "graphql-transport-ws"


class ApiLostError(RefusedError):
    """The API can't be reached, or the connection broke."""


class ApiClient:
    """The API at a base URL, opened by one bearer token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/").removesuffix("/graphql")
        self._headers = {"Authorization": f"Bearer {token}"}

    async def execute(self, document: str, **variables: object) -> dict[str, Any]:
        """Run a query or a mutation and return its data; a `FileVar` is streamed as an upload.

        Raises:
            RefusedError: the API refuses it; the messages are the API's.
            ApiLostError: the API can't be reached.
        """
        transport = AIOHTTPTransport(
            f"{self.url}/graphql",
            headers={**self._headers, "GraphQL-Preflight": "1"},
            client_session_args={"timeout": _TIMEOUT},
        )
        request = GraphQLRequest(document, variable_values=variables)
        with _translated(self.url):
            # gql would give up after ten seconds, in the middle of a large upload.
            async with Client(transport=transport, execute_timeout=None) as session:
                # A multipart request is an upload, which a token that may only read can't make.
                has_file = _has_file(variables)
                return dict(await session.execute(request, upload_files=has_file))

    async def subscribe(self, document: str, **variables: object) -> AsyncIterator[dict[str, Any]]:
        """Run a subscription and yield the data of each event.

        Raises:
            RefusedError: the API refuses it.
            ApiLostError: the connection broke; later events are lost.
        """
        scheme = "wss" if urlsplit(self.url).scheme == "https" else "ws"
        transport = WebsocketsTransport(
            f"{scheme}://{self.url.split('://', 1)[1]}/graphql",
            init_payload=self._headers,
            subprotocols=[_SUBPROTOCOL],
            # websockets would use a proxy of the environment, and aiohttp uses none.
            connect_args={"proxy": None},
            ssl=scheme == "wss",
        )
        request = GraphQLRequest(document, variable_values=variables)
        with _translated(self.url):
            async with Client(transport=transport) as session:
                async for data in session.subscribe(request):
                    yield data

    async def download(self, url: str, write: Callable[[bytes], object]) -> None:
        """Fetch a file of the API block by block; the URL may be relative to the API's."""
        # A file of failed rows may be large: it is never in memory as a whole.
        async for block in self._blocks(url):
            write(block)

    async def _blocks(self, url: str) -> AsyncIterator[bytes]:
        """Yield the blocks: an error in what is done with one is none of the API's."""
        with _translated(self.url):
            async with (
                aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT) as session,
                session.get(urljoin(f"{self.url}/", url)) as response,
            ):
                if response.status != 200:
                    raise RefusedError(_refusal(url, response.status, await response.text()))
                # A proxy that asks to sign in answers 200, too.
                if "attachment" not in response.headers.get("Content-Disposition", ""):
                    raise RefusedError(f"what answers at {self.url} is not the API: it sent a page")
                async for block in response.content.iter_chunked(_BLOCK_BYTES):
                    yield block


def _has_file(value: object) -> bool:
    """Tell whether variables, which may be nested, have a file."""
    if isinstance(value, dict):
        return any(map(_has_file, value.values()))
    return isinstance(value, FileVar)


def find_api(folder: DataFolder) -> ApiClient:
    """Return the API that the environment names, or else the local `caseroll up`.

    The local token is never sent to an API that CASEROLL_URL names.

    Raises:
        RefusedError: there is neither, or no token.
    """
    settings = ClientSettings.from_environment(process_environment())
    url = settings.url or folder.read("url")
    token = settings.token or (None if settings.url else folder.read("admin.token"))
    if url is None:
        raise RefusedError(
            "there is no API: start one here with `caseroll up`, or set CASEROLL_URL."
        )
    if token is None:
        raise RefusedError("there is no token: set CASEROLL_TOKEN.")
    return ApiClient(url, token)


def _refusal(url: str, status: int, text: str) -> str:
    """Say why there is no file, in the API's words if it has given any."""
    try:
        return str(json.loads(text)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return f"the API answered {status} for {url}."


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Translate the client libraries' exceptions into `RefusedError` and `ApiLostError`."""
    try:
        yield
    except TransportQueryError as error:
        messages = [str(problem.get("message", problem)) for problem in error.errors or []]
        raise RefusedError(" ".join(messages) or str(error)) from error
    except TransportServerError as error:
        if error.code == _UNAUTHORIZED:
            raise RefusedError(
                "the API does not accept the token, which may have expired; see CASEROLL_TOKEN."
            ) from error
        raise RefusedError(f"the API at {url} answered: {error}") from error
    except TransportProtocolError as error:
        raise ApiLostError(f"what answers at {url} is not the API: {error}") from error
    except (TransportError, WebSocketException, aiohttp.ClientError, OSError) as error:
        reason = str(error) or str(error.__cause__ or "") or type(error).__name__
        raise ApiLostError(f"the API at {url} can't be reached: {reason}") from error
