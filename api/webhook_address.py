"""Which URLs webhooks may have, and which addresses Caseroll connects to for them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

URL_LONGEST = 2_000

# Visible ASCII; other characters have to be escaped, and names of hosts be written as `xn--…`.
_CHARACTERS = re.compile(r"[!-~]+")
_GLOBAL_UNICAST = ip_network("2000::/3")
# IPv6 addresses that lead to the IPv4 address in their last four bytes.
_NAT64 = ip_network("64:ff9b::/96")


def find_url_problem(url: str, allowed: Sequence[Network]) -> str | None:
    """Say why a webhook can't have this URL; None when it can, as far as the URL itself tells.

    What a name leads to is only known when it is connected to.

    Args:
        allowed: networks that may be connected to, though they are private.
    """
    if len(url) > URL_LONGEST:
        return f"A URL has {URL_LONGEST:,} characters at the most."
    if not _CHARACTERS.fullmatch(url):
        return "A URL has no spaces, and no characters beyond ASCII; escape them."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is not a URL."
    return _find_part_problem(parts) or _find_host_problem(parts.scheme, host or "", allowed)


def _find_part_problem(parts: SplitResult) -> str | None:
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "A webhook's URL begins with 'https://' and the name of a host."
    if "@" in parts.netloc or parts.fragment:
        return "A webhook's URL has neither a user name nor a fragment."
    return None


def _find_host_problem(scheme: str, host: str, allowed: Sequence[Network]) -> str | None:
    address = _read_address(host)
    if scheme == "http" and not (address and address.is_loopback):
        return "A webhook's URL begins with 'https://'; 'http://' is for this machine alone."
    if address is not None and not may_connect(address, allowed):
        return f"{host} is an address of a private network; the operator can allow it."
    return None


def may_connect(address: Address, allowed: Sequence[Network]) -> bool:
    """Tell whether an address is one of the public Internet, or of an allowed network."""
    target = _target(address)
    if any(each in network for network in allowed for each in (address, target)):
        return True
    if isinstance(target, IPv6Address) and target not in _GLOBAL_UNICAST:
        return False
    return target.is_global and not target.is_multicast


def _target(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _read_address(host: str) -> Address | None:
    try:
        return ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return None
