"""Requests to webhooks reach public addresses alone, and end whatever the receiver does."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from api.notify.webhook_client import HttpTransport
from api.notify.webhook_message import compose_body, sign
from importers.webhook_sender import NotDeliveredError
from tests.api.notify.deliveries import SECRET, delivery
from tests.api.notify.webhook_receiver import ERROR, GONE, Receiver, receiving

TLS = Path(__file__).parent / "tls"
HERE = HttpTransport(allowed=[ip_network("127.0.0.0/8")])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver without TLS."""
    async with receiving() as running:
        yield running


@pytest.fixture
async def secure() -> AsyncIterator[Receiver]:
    """A receiver with TLS, which has the certificate of hooks.example.org."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    async with receiving(context) as running:
        yield running


def trusting(**options: Any) -> HttpTransport:
    """Make a transport that trusts the certificate."""
    transport = HttpTransport(**{"allowed": HERE.allowed, **options})
    transport.tls.load_verify_locations(TLS / "certificate.pem")
    return transport


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names of hosts lead to; each look-up takes what a name leads to away."""
    found: dict[str, list[str]] = {}
    resolve = socket.getaddrinfo

    def look_up(host: Any, port: Any, *others: Any, **options: Any) -> Any:
        addresses = found.pop(host, None)
        if addresses is None:
            return resolve(host, port, *others, **options)
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return found


async def refusal(transport: HttpTransport, url: str) -> NotDeliveredError:
    """Send to a URL that does not accept it, and return why not."""
    with pytest.raises(NotDeliveredError) as caught:
        await transport.send(delivery(url))
    return caught.value


async def test_a_request(receiver: Receiver) -> None:
    """A request has the body, and the headers that prove whose it is."""
    status = await HERE.send(delivery(receiver.url))
    [request] = receiver.requests
    signed_at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)

    assert status == 204
    assert request.line == "POST /hooks?team=7 HTTP/1.1"
    assert request.body == compose_body(delivery())
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "user-agent": "Caseroll",
        "content-type": "application/json",
        "content-length": str(len(request.body)),
        "connection": "close",
        **sign(delivery(secret=SECRET), request.body, signed_at),
    }


@pytest.mark.parametrize(
    ("answer", "status", "is_gone"),
    [
        pytest.param(ERROR, 500, False, id="error"),
        pytest.param(GONE, 410, True, id="gone"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\n\r\n", 304, False, id="no success"),
    ],
)
async def test_no_success(receiver: Receiver, answer: bytes, status: int, is_gone: bool) -> None:
    """Only 2xx means that the message was accepted; 410 that no more are wanted."""
    receiver.answers.append(answer)
    error = await refusal(HERE, receiver.url)

    assert (error.status, error.is_gone) == (status, is_gone)
    assert str(status) in error.reason


async def test_a_redirect(receiver: Receiver) -> None:
    """A redirect is not followed, wherever it leads to."""
    place = f"Location: {receiver.url}\r\n"
    receiver.answers.append(f"HTTP/1.1 307 Temporary Redirect\r\n{place}\r\n".encode())
    error = await refusal(HERE, receiver.url)

    assert error.reason == "the answer was 307, a redirect"
    assert receiver.connections == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(b"", "", id="none"),
        pytest.param(b"220 mail.example.org ESMTP\r\n\r\n", "", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "", id="endless head"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "", id="another protocol now"),
    ],
)
async def test_no_answer(receiver: Receiver, answer: bytes, reason: str) -> None:
    """What is no answer is none, and says something that fits on a line."""
    receiver.answers.append(answer)
    error = await refusal(HERE, receiver.url)

    assert error.status is None
    assert error.reason.isprintable()


async def test_the_body_is_not_read(receiver: Receiver) -> None:
    """An answer that has no end is known by its head."""
    receiver.answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx")

    assert await HERE.send(delivery(receiver.url)) == 200


async def test_an_answer_after_another(receiver: Receiver) -> None:
    """Interim answers are skipped."""
    receiver.answers.append(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n")

    assert await HERE.send(delivery(receiver.url)) == 202


async def test_it_hangs(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that never answers is given up after a while."""
    monkeypatch.setattr("api.notify.webhook_client._SECONDS", 0.1)
    receiver.answers.append(None)

    assert "no answer within" in (await refusal(HERE, receiver.url)).reason


async def test_it_is_away(receiver: Receiver) -> None:
    """Nothing listens at the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    error = await refusal(HERE, f"http://127.0.0.1:{port}/")

    assert "Connect call failed" in error.reason


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 64 + ".org"])
async def test_no_such_host(host: str) -> None:
    """A name that leads nowhere, or can't be one."""
    error = await refusal(HttpTransport(), f"https://{host}/")

    assert error.reason


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_private_networks(receiver: Receiver, scheme: str) -> None:
    """Without a setting, not even a connection is made."""
    url = f"{scheme}://127.0.0.1:{receiver.port}/"
    error = await refusal(HttpTransport(), url)

    assert error.reason == "127.0.0.1 leads to a private network; the operator can allow it"
    assert receiver.connections == 0


async def test_a_name_of_a_private_network(receiver: Receiver, names: dict[str, list[str]]) -> None:
    """What a name leads to counts, not the name; the answer does not reveal it."""
    names["hooks.example.org"] = ["127.0.0.1"]
    error = await refusal(HttpTransport(), f"https://hooks.example.org:{receiver.port}/")

    assert error.reason == "hooks.example.org leads to a private network; the operator can allow it"
    assert receiver.connections == 0


async def test_another_machine_without_tls(names: dict[str, list[str]]) -> None:
    """HTTP is for this machine alone, whatever networks are allowed."""
    names["hooks.example.org"] = ["10.0.0.1"]
    transport = HttpTransport(allowed=[ip_network("10.0.0.0/8")])
    error = await refusal(transport, "http://hooks.example.org/")

    assert error.reason == "hooks.example.org is another machine, to which only HTTPS may be used"


async def test_the_address_that_was_checked(secure: Receiver, names: dict[str, list[str]]) -> None:
    """The name is looked up once; TLS and the request still have it."""
    names["hooks.example.org"] = ["127.0.0.1"]
    url = f"https://hooks.example.org:{secure.port}/in"

    # A second look-up would ask the real resolver, which does not know the name.
    assert await trusting().send(delivery(url)) == 204
    assert secure.names == ["hooks.example.org"]
    assert secure.requests[0].headers["host"] == f"hooks.example.org:{secure.port}"


async def test_only_the_allowed_of_its_addresses(
    secure: Receiver, names: dict[str, list[str]]
) -> None:
    """Of several addresses, those of private networks are left out."""
    names["hooks.example.org"] = ["10.0.0.1", "127.0.0.1"]

    assert await trusting().send(delivery(f"https://hooks.example.org:{secure.port}/")) == 204


async def test_the_next_address(secure: Receiver, names: dict[str, list[str]]) -> None:
    """Where one address does not take the connection, the next one is tried."""
    names["hooks.example.org"] = ["::1", "127.0.0.1"]
    transport = trusting(allowed=[*HERE.allowed, ip_network("::1")])

    assert await transport.send(delivery(f"https://hooks.example.org:{secure.port}/")) == 204


@pytest.mark.parametrize(
    ("host", "transport"),
    [
        pytest.param("other.example.org", trusting(), id="of another name"),
        pytest.param("hooks.example.org", HERE, id="that is not trusted"),
    ],
)
async def test_certificates(
    secure: Receiver, names: dict[str, list[str]], host: str, transport: HttpTransport
) -> None:
    """A host proves that it has the name, before it gets anything."""
    names[host] = ["127.0.0.1"]
    error = await refusal(transport, f"https://{host}:{secure.port}/")

    assert "CERTIFICATE_VERIFY_FAILED" in error.reason
    assert secure.requests == []


async def test_no_tls_there(receiver: Receiver) -> None:
    """A receiver without TLS at an https URL gets nothing."""
    error = await refusal(HERE, f"https://127.0.0.1:{receiver.port}/")

    assert error.reason
    assert receiver.requests == []
