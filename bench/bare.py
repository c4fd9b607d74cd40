"""The cheapest JSON service for comparison: Starlette routes that read JSON and send a document.

Started as `python -m bench.bare PORT FILE`; FILE is a JSON object of documents, each served at its
name. uvicorn is configured as it is for the API.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def _respond(document: object, request: Request) -> Response:
    orjson.loads(await request.body() or b"null")
    return Response(orjson.dumps(document), media_type="application/json")


def serve(port: int, path: Path) -> None:
    """Serve the documents of a file."""
    documents = orjson.loads(path.read_bytes())
    routes = [
        Route(f"/{name}", functools.partial(_respond, document), methods=["GET", "POST"])
        for name, document in documents.items()
    ]
    uvicorn.run(
        Starlette(routes=routes),
        port=port,
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="warning",
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
