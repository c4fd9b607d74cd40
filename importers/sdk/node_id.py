"""The opaque IDs that the API shows and that a file may use in place of a Tag ID."""

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
    """Return the ID of a node.

    Example:
        >>> encode_node_id("Case", 7)
        'Q2FzZTo3'
    """
    return base64.b64encode(f"{kind}:{key}".encode()).decode()


def could_be_node_id(kind: str, text: str) -> bool:
    """Tell cheaply whether a text can be the ID of such a node at all."""
    return text.startswith(_beginning(kind))


def has_node_id(kind: str, texts: Collection[str]) -> bool:
    """Tell cheaply whether any of the texts can be the ID of such a node."""
    return _beginning(kind) in "\n".join(texts)


@functools.cache
def _beginning(kind: str) -> str:
    """Return the characters that the IDs of all nodes of a type have in common."""
    return encode_node_id(kind, 0)[: len(f"{kind}:") * 8 // 6]


def decode_node_id(node_id: str) -> tuple[str, int] | None:
    """Return the type and primary key of an ID, or None when it is not one that we made."""
    try:
        kind, _, digits = base64.b64decode(node_id, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return None
    if not kind.isalpha() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
        return None
    if int(digits) > _LARGEST:
        return None
    return (kind, int(digits)) if encode_node_id(kind, int(digits)) == node_id else None
