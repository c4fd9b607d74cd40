"""Forms with a file, answered while the file is still arriving."""

from __future__ import annotations

import asyncio

from api.console.session import COOKIE
from tests.api.api_fixture import Api

LENGTH = 50_000_000
FIELDS = {"key": "k", "type": "assign", "name": "May", "then": "run"}


def part(name: str, more: str = "") -> bytes:
    """Begin a part of the form."""
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()


async def test_an_answer_before_the_end(api: Api) -> None:
    """With the fields before the file, a wrong header is refused as soon as it has come."""
    fields = b"".join(part(name) + value.encode() + b"\r\n" for name, value in FIELDS.items())
    file = part("file", '; filename="May.csv"') + b"what,ever\r\n" + b"1,2\r\n" * 50_000
    headers = {
        "Host": "x",
        "Cookie": f"{COOKIE}={api.world.admin}",
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": str(LENGTH),
    }
    lines = ["POST /console/imports/new HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items())]
    host, port = api.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([*lines, "", ""]).encode() + fields + file)
    status = await asyncio.wait_for(reader.readline(), 20)
    writer.close()

    assert status.startswith(b"HTTP/1.1 422 ")
