"""A database URL is honoured in full, or refused by the name of what can't be."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from models.database_url import DatabaseUrlError, credentials

NOWHERE = {
    "host": "127.0.0.1",
    "port": 5432,
    "user": "postgres",
    "password": None,
    "database": "postgres",
}
HOSTS = (
    "DATABASE_URL has to name hosts and ports like host:5432, with commas between several;"
    " write special characters of the password as %40 (@), %3A (:), %2F (/)."
)
PARAMETERS = "DATABASE_URL has parameters that Caseroll can't honour: "


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://", {}),
        ("postgres://db", {"host": "db"}),
        (
            "postgresql://me:pass%40w%2Frd@db:5433/cases",
            {
                "host": "db",
                "port": 5433,
                "user": "me",
                "password": "pass@w/rd",
                "database": "cases",
            },
        ),
        ("postgresql://me:p@ss@db", {"host": "db", "user": "me", "password": "p@ss"}),
        ("postgresql://me@/x?host=/run/pg", {"host": "/run/pg", "user": "me", "database": "x"}),
        ("postgresql://%2Frun%2Fpg/x", {"host": "/run/pg", "database": "x"}),
        ("postgresql://[::1]:5433/x", {"host": "::1", "port": 5433, "database": "x"}),
        ("postgresql://?host=db&port=7&user=a&password=b&dbname=c",
         {"host": "db", "port": 7, "user": "a", "password": "b", "database": "c"}),
        ("postgresql://one,two:7/x", {"host": ["one", "two"], "port": [5432, 7], "database": "x"}),
        ("postgresql://[::1],[::2]:7", {"host": ["::1", "::2"], "port": [5432, 7]}),
        ("postgresql://?host=one,two&port=7", {"host": ["one", "two"], "port": [7, 7]}),
        ("postgresql://db?sslmode=require", {"host": "db", "dsn": "postgresql://?sslmode=require"}),
        (
            "postgresql://db?target_session_attrs=primary&sslmode=",
            {"host": "db", "dsn": "postgresql://?target_session_attrs=primary"},
        ),
    ],
)  # fmt: skip
def test_honoured(url: str, found: dict[str, Any]) -> None:
    """Hosts, ports, user and so on stand where libpq would find them."""
    assert credentials(url) == NOWHERE | found


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://db", "DATABASE_URL has to be a URL that begins with postgresql://."),
        ("postgresql://[::1/x", "DATABASE_URL can't be read as a URL."),
        ("postgresql://db:port/x", HOSTS),
        ("postgresql://db:65536/x", HOSTS),
        ("postgresql://me:sec/ret@db/x", HOSTS),
        ("postgresql://one,two,three?port=1,2", HOSTS),
        (
            "postgresql://db/x?ssl=true",
            f"{PARAMETERS}ssl. Leave them out; TLS is sslmode=require, or"
            " sslmode=verify-full&sslrootcert=FILE.",
        ),
        (
            "postgresql://db/x?options=-c%20a%3Db&channel_binding=require",
            f"{PARAMETERS}channel_binding, options. Leave them out; TLS is sslmode=require, or"
            " sslmode=verify-full&sslrootcert=FILE.",
        ),
        (
            "postgresql://me:sec?ret@db/x",
            "DATABASE_URL has a '?' or '#' that begins no parameters; in a password, write them as"
            " %3F and %23.",
        ),
        (
            "postgresql://db/x?sslmode=always",
            "DATABASE_URL: sslmode has to be one of: disable, allow, prefer, require, verify-ca,"
            " verify-full.",
        ),
        (
            "postgresql://db/x?target_session_attrs=standby",
            "DATABASE_URL: target_session_attrs has to be one of: any, primary, read-write.",
        ),
        (
            "postgresql://db/x?sslmode=verify-full&sslrootcert=/not/there.pem",
            "DATABASE_URL: there is no file '/not/there.pem', which sslrootcert names.",
        ),
        (
            f"postgresql://db/x?sslrootcert={__file__}",
            "DATABASE_URL: sslrootcert has no effect without sslmode=verify-full.",
        ),
    ],
)
def test_refused(url: str, problem: str) -> None:
    """What asyncpg would fail on, or drop, is named."""
    with pytest.raises(DatabaseUrlError) as caught:
        credentials(url)

    assert problem in caught.value.problems
    assert "sec" not in str(caught.value).replace("second", "")


def test_a_hash_in_a_password() -> None:
    """What follows it is no part of the URL, and is not repeated."""
    with pytest.raises(DatabaseUrlError) as caught:
        credentials("postgresql://me:12#secret@db/x")

    assert "%23" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_certificates_are_read(tmp_path: Path) -> None:
    """asyncpg gets the file that the server's certificate is to be checked with."""
    file = tmp_path / "root.pem"
    file.write_text("no certificate")
    url = f"postgresql://127.0.0.1:9/x?sslmode=verify-full&sslrootcert={file}"

    with pytest.raises(ssl.SSLError):
        await asyncpg.connect(**credentials(url))


async def test_several_hosts(database_url: str, tmp_path: Path) -> None:
    """A host that is not there is passed over."""
    folder = credentials(database_url)["host"]
    url = database_url.partition("?")[0] + f"?host={tmp_path},{folder}"
    db = await asyncpg.connect(**credentials(f"{url}&target_session_attrs=primary"))
    name = await db.fetchval("SELECT current_database()")
    await db.close()

    assert name == credentials(database_url)["database"]
