"""HTTP requests to webhooks, at URLs that come from outside.

A URL may name a host of the network that Caseroll runs in, and what its name leads to may change
between a check and the connection. So the name is resolved here, and the connection goes to an
address that was checked.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import h11

from api.notify.webhook_message import compose_body, sign
from api.webhook_address import may_connect
from importers.webhook_sender import NotDeliveredError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.webhook_address import Network
    from models.webhook import OutgoingDelivery

_PORTS = {"https": 443, "http": 80}
# In all, and to connect to one of a host's addresses.
_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
_ADDRESSES_TRIED = 3
_LOOK_UPS = 8
# Of an answer, only its head is read.
_HEAD_BYTES = 16 * 1024
_BLOCK_BYTES = 4 * 1024
_GONE = 410
_REASON_LONGEST = 300


@dataclass(frozen=True, eq=False, kw_only=True)
class HttpTransport:
    """Posts messages over HTTPS, or over HTTP to this machine; follows no redirects.

    Args:
        allowed: networks that may be connected to, though they are private.
    """

    allowed: Sequence[Network] = ()

    @cached_property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    @cached_property
    def resolver(self) -> ThreadPoolExecutor:
        """Threads of their own: name servers that hang must not take those that read files."""
        return ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="resolver")

    async def send(self, delivery: OutgoingDelivery) -> int:
        """Post a message, and return the status of the answer."""
        body = compose_body(delivery)
        headers = sign(delivery, body, datetime.now(UTC))
        try:
            async with asyncio.timeout(_SECONDS):
                status = await self._post(urlsplit(delivery.url), headers, body)
        except TimeoutError:
            raise NotDeliveredError(f"no answer within {_SECONDS:.0f} seconds") from None
        except (OSError, UnicodeError, h11.ProtocolError) as error:
            raise NotDeliveredError(_describe_failure(error)) from error
        if 200 <= status < 300:
            return status
        is_redirect = 300 <= status < 400
        reason = f"the answer was {status}" + (", a redirect" if is_redirect else "")
        raise NotDeliveredError(reason, status=status, is_gone=status == _GONE)

    async def _post(self, url: SplitResult, headers: Mapping[str, str], body: bytes) -> int:
        reader, writer = await self._connect(url)
        try:
            return await _exchange(reader, writer, url, headers, body)
        finally:
            writer.close()

    async def _connect(self, url: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        tls = self.tls if url.scheme == "https" else None
        failure: Exception = ConnectionError(f"{host} has no address")
        for address in await self._choose(host, port, is_secure=tls is not None):
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(
                        address, port, ssl=tls, server_hostname=host if tls else None
                    )
            except TimeoutError:
                failure = ConnectionError(f"{address} can't be reached")
            except OSError as error:
                failure = error
        raise failure

    async def _choose(self, host: str, port: int, *, is_secure: bool) -> list[str]:
        """Resolve a host, and return those of its addresses that may be connected to."""
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self.resolver, look_up)
        addresses = [ip_address(each[4][0]) for each in found]
        chosen = [each for each in addresses if may_connect(each, self.allowed)]
        if addresses and not chosen:
            # Without the address, which may be known inside the network alone.
            raise NotDeliveredError(f"{host} leads to a private network; the operator can allow it")
        if not (is_secure or all(each.is_loopback for each in chosen)):
            raise NotDeliveredError(f"{host} is another machine, to which only HTTPS may be used")
        return list(map(str, chosen[:_ADDRESSES_TRIED]))


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    url: SplitResult,
    headers: Mapping[str, str],
    body: bytes,
) -> int:
    """Send a request and return the status of the answer; its body is not read."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    fields = {
        "Host": url.netloc,
        "User-Agent": "Caseroll",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    request = h11.Request(method="POST", target=target, headers=list(fields.items()))
    for event in (request, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(connection.send(event) or b"")
    await writer.drain()
    while True:
        answer = connection.next_event()
        if answer is h11.NEED_DATA:
            connection.receive_data(await reader.read(_BLOCK_BYTES))
        elif isinstance(answer, h11.Response):
            return answer.status_code
        elif not isinstance(answer, h11.InformationalResponse):
            raise ConnectionError("the connection was closed without an answer")


def _describe_failure(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(each if each.isprintable() else "?" for each in text)[:_REASON_LONGEST]
