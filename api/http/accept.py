"""The media type of an answer, as the request's Accept header asks for it (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from api.errors import HttpError
from api.http.responses import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

GRAPHQL_JSON = "application/graphql-response+json"
_QUALITY = re.compile(r"[01](?:\.[0-9]*)?")


# Clients send the same header with each request, and reading it costs a tenth of a short answer.
@lru_cache(maxsize=64)
def choose_media_type(accept: str) -> str:
    """Choose what an answer is sent as.

    Args:
        accept: the values of the Accept headers, with commas between them.

    Raises:
        HttpError: the client takes neither media type.

    Example:
        >>> choose_media_type("Application/JSON;q=0.9, application/graphql-response+json")
        'application/graphql-response+json'
    """
    ranges = _read_ranges(accept)
    if not ranges:
        return JSON
    graphql_json, json = _find_quality(GRAPHQL_JSON, ranges), _find_quality(JSON, ranges)
    if not graphql_json and not json:
        raise HttpError(
            406,
            "NOT_ACCEPTABLE",
            f"Accept {GRAPHQL_JSON} or {JSON}: nothing else is spoken here. Subscriptions go over "
            "a WebSocket at this path, by the sub-protocol graphql-transport-ws.",
        )
    # A wildcard asks for neither by name, and every client understands JSON.
    is_better = graphql_json >= json if GRAPHQL_JSON in ranges else graphql_json > json
    return GRAPHQL_JSON if is_better else JSON


def _read_ranges(accept: str) -> Mapping[str, float]:
    """Return the quality of each media range; parameters other than `q` make no difference."""
    ranges: dict[str, float] = {}
    for text in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in text.split(";"))
        if "/" not in media_range:
            continue
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        value = min(float(quality), 1) if _QUALITY.fullmatch(quality) else 1
        ranges[media_range] = max(value, ranges.get(media_range, 0))
    return ranges


def _find_quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """Return the quality of the most specific range that a media type falls into."""
    candidates = (media_type, "application/*", "*/*")
    return next((ranges[each] for each in candidates if each in ranges), 0)
