"""Addresses of web pages: checked, and written in one way."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import NoReturn
from unicodedata import normalize
from urllib.parse import SplitResult, quote, urlsplit

from importers.sdk.cells.wrong_cell import wrong_form
from importers.sdk.errors import RowError

_PORTS = {"http": 80, "https": 443}
# What no URL has as it is. Letters that are not ASCII are written by their bytes.
_NEVER = re.compile(r"[\s\"<>\\^`{|}]")
_WRONG_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_IPV6 = re.compile(r"\[([0-9a-fA-F:.]+)\]")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


def read_url(text: str) -> str:
    """Return the address in one form: its scheme and host in small letters, the host in ASCII.

    Args:
        text: of a cell, trimmed.

    Raises:
        RowError: it is none of a web page, or has a password.
    """
    if _NEVER.search(text) or _WRONG_PERCENT.search(text) or not text.isprintable():
        _refuse("'{text}' has characters that no URL has", text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        _refuse("'{text}' is not a URL", text)
    if parts.scheme not in _PORTS or not text[len(parts.scheme) :].startswith("://"):
        _refuse("'{text}' is not a URL that begins with https:// or http://", text)
    if "@" in parts.netloc:
        # Not quoted: messages get into logs and mails.
        raise RowError(None, "INVALID_URL", "has a user's name or password; take it out.")
    host = _host_of(parts)
    if host is None:
        _refuse("'{text}' has a host that can't be, as in https://example.org/", text)
    behind = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    path = quote(parts.path, safe=_ASCII) or "/"
    query = f"?{quote(parts.query, safe=_ASCII)}" if parts.query else ""
    fragment = f"#{quote(parts.fragment, safe=_ASCII)}" if parts.fragment else ""
    return f"{parts.scheme}://{host}{behind}{path}{query}{fragment}"


def _host_of(parts: SplitResult) -> str | None:
    """Return the host as it travels; None if there can be none like it."""
    written = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    if found := _IPV6.fullmatch(written.removesuffix(":")):
        return _address(found[1])
    host = (parts.hostname or "").removesuffix(".")
    if not host.isascii() or "xn--" in host:
        host = _encoded(host) or ""
    last = host.rpartition(".")[2]
    if last.isdigit() or not _HOST.fullmatch(host):
        # Browsers take any host that ends in a number for an IPv4 address.
        return host if _IPV4.fullmatch(host) else None
    return host


def _address(text: str) -> str | None:
    try:
        return f"[{IPv6Address(text).compressed}]"
    except ValueError:
        return None


def _encoded(host: str) -> str | None:
    import idna  # noqa: PLC0415 - `import importers` loads only the standard library

    try:
        return idna.encode(normalize("NFC", host)).decode()
    except idna.IDNAError:
        return None


def _refuse(fault: str, text: str) -> NoReturn:
    raise wrong_form("INVALID_URL", fault, text)
