"""The URL of the database: what asyncpg makes of it, or why it is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMES = ("postgresql", "postgres")
_ADDRESS = {"dbname", "host", "password", "port", "user"}
# Parameters that asyncpg reads from a URL. It would send any other to the server, as a setting.
_HONOURED = {
    "gsslib",
    "krbsrvname",
    "passfile",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "target_session_attrs",
}
_FILES = ("passfile", "sslcert", "sslcrl", "sslkey", "sslrootcert")
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    # The others accept a server that takes no writes.
    "target_session_attrs": ("any", "primary", "read-write"),
}
# Without one of these modes, asyncpg ignores what the server's certificate is checked with.
_CHECKING_MODES = ("require", "verify-ca", "verify-full")
_PLACE = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
_NAME = re.compile("[a-z_]+")


class DatabaseUrlError(ValueError):
    """The URL is refused.

    Args:
        problems: a sentence each, without what may be a part of the password.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problems))


def credentials(url: str) -> dict[str, Any]:
    """Translate a URL into arguments of `asyncpg.connect`.

        postgresql://user:password@one:5432,two/name?target_session_attrs=primary
        postgresql://user@/name?host=/folder/of/the/socket

    Returns:
        host and port (lists if there are several), user, password and database; with a `dsn` for
        parameters that `connect` takes nowhere else.

    Raises:
        DatabaseUrlError: asyncpg would fail on it, or drop a part of it.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise DatabaseUrlError(["DATABASE_URL can't be read as a URL."]) from None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    problems = [*_wrong_parts(parts.scheme, parts.fragment, query), *_wrong_values(query)]
    hosts, ports = _places(parts.netloc.rpartition("@")[2], query)
    if len(hosts) != len(ports) or not all(0 < port < 2**16 for port in ports):
        problems.append(
            "DATABASE_URL has to name hosts and ports like host:5432, with commas between several;"
            " write special characters of the password as %40 (@), %3A (:), %2F (/)."
        )
    if problems:
        raise DatabaseUrlError(problems)
    is_one = len(hosts) == 1
    found = {
        "host": hosts[0] if is_one else hosts,
        "port": ports[0] if is_one else ports,
        "user": query.get("user") or unquote(parts.username or "postgres"),
        "password": query.get("password") or unquote(parts.password or "") or None,
        "database": query.get("dbname") or unquote(parts.path.lstrip("/")) or "postgres",
    }
    others = {name: value for name, value in query.items() if name in _HONOURED and value}
    return found | ({"dsn": f"postgresql://?{urlencode(others)}"} if others else {})


def _wrong_parts(scheme: str, fragment: str, query: Mapping[str, str]) -> Iterator[str]:
    if scheme not in SCHEMES:
        yield f"DATABASE_URL has to be a URL that begins with {SCHEMES[0]}://."
    unknown = query.keys() - _HONOURED - _ADDRESS
    # Anything else may be what follows a question mark in a password.
    named = sorted(filter(_NAME.fullmatch, unknown))
    if fragment or len(named) < len(unknown):
        yield (
            "DATABASE_URL has a '?' or '#' that begins no parameters; in a password, write them as"
            " %3F and %23."
        )
    if named:
        yield (
            f"DATABASE_URL has parameters that Caseroll can't honour: {', '.join(named)}. Leave"
            " them out; TLS is sslmode=require, or sslmode=verify-full&sslrootcert=FILE."
        )


def _wrong_values(query: Mapping[str, str]) -> Iterator[str]:
    for name, choices in _CHOICES.items():
        if query.get(name) and query[name] not in choices:
            yield f"DATABASE_URL: {name} has to be one of: {', '.join(choices)}."
    for name in _FILES:
        if query.get(name) and not Path(query[name]).is_file():
            yield f"DATABASE_URL: there is no file {query[name]!r}, which {name} names."
    for name in ("sslcrl", "sslrootcert"):
        if query.get(name) and query.get("sslmode") not in _CHECKING_MODES:
            yield f"DATABASE_URL: {name} has no effect without sslmode=verify-full."


def _places(netloc: str, query: Mapping[str, str]) -> tuple[list[str], list[int]]:
    """Return hosts and ports, which parameters may name instead; -1 for what is no port."""
    found = [_PLACE.fullmatch(place) for place in netloc.split(",")]
    hosts = [unquote(match[1].strip("[]")) if match else "" for match in found]
    ports = [match[2] if match else "?" for match in found]
    if query.get("host"):
        hosts = query["host"].split(",")
        ports = ports if len(ports) == len(hosts) else [""]
    if query.get("port"):
        ports = query["port"].split(",")
    # As in libpq, one port is that of all hosts.
    ports = ports * len(hosts) if len(ports) == 1 else ports
    numbers = [int(port or 5432) if (port or "0").isdecimal() else -1 for port in ports]
    return [host or "127.0.0.1" for host in hosts], numbers
