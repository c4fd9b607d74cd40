"""The API's opaque IDs, which a file may use in place of Tag IDs: `Case:7` in base 64."""

from __future__ import annotations

import base64
import binascii
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_LARGEST = 2**63 - 1
_MOST_DIGITS = len(str(_LARGEST))


def encode_node_id(kind: str, key: int) -> str:
    """Return the ID of a node from its GraphQL type and primary key.

    Example:
        >>> encode_node_id("Case", 7)
        'Q2FzZTo3'
    """
    # `base64.b64encode` makes the same call, and takes half as long again.
    return binascii.b2a_base64(f"{kind}:{key}".encode(), newline=False).decode()


def could_be_node_id(kind: str, text: str) -> bool:
    """Tell cheaply whether the text may be an ID of a node of this type."""
    return text.startswith(_id_prefix(kind))


def has_node_id(kind: str, texts: Collection[str]) -> bool:
    """Tell cheaply whether any of the texts may be an ID of a node of this type."""
    # One search of the joined texts is faster than a call for each; a false positive is harmless.
    return _id_prefix(kind) in "\n".join(texts)


@functools.cache
def _id_prefix(kind: str) -> str:
    """Return the characters that all IDs of a type begin with: those made of `Kind:` alone."""
    return encode_node_id(kind, 0)[: len(f"{kind}:") * 8 // 6]


def decode_node_id(node_id: str) -> tuple[str, int] | None:
    """Return the type and primary key of an ID, or None if `encode_node_id` never returns it."""
    try:
        kind, _, digits = base64.b64decode(node_id, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return None
    if not kind.isalpha() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
        return None
    if int(digits) > _LARGEST:
        return None
    # Several texts of base 64 decode to the same bytes, and 07 to the same number as 7: only one of
    # them is the ID, so that two rows can't name one thing differently.
    return (kind, int(digits)) if encode_node_id(kind, int(digits)) == node_id else None
