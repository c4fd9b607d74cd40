"""Style sheet, scripts and pictures, below a path that changes with them: kept for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from api.errors import HttpError

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@lru_cache(None)
def static_files() -> dict[str, bytes]:
    """Read all files, by name."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir())}


@lru_cache(None)
def static_version() -> str:
    """Hash all files: one name for all, so that a script finds those that it imports."""
    digest = hashlib.sha256()
    for name, content in static_files().items():
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


async def send_static(request: Request) -> Response:
    """Send a file; of an older version none is kept."""
    name = request.path_params["name"]
    content = static_files().get(name)
    if content is None or request.path_params["version"] != static_version():
        raise HttpError(404, "NOT_FOUND", "There is no such file.")
    return Response(
        content,
        media_type=_TYPES[Path(name).suffix],
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        },
    )
