"""Settings from the environment; no other file reads it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from api.limits import HIGHEST, Patience, QueryLimits, TokenLimits
from importers.reading.limits import Limits
from importers.sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_MAIL_FROM = "caseroll@localhost"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
DEFAULT_MAX_REQUEST_BYTES = 1024 * 1024
DEFAULT_CHUNK_ROWS = 10_000
DEFAULT_WORKERS = 2
# Failed rows are corrected within days, and reports look back over a quarter.
DEFAULT_RETENTION_DAYS = 90
# GraphQL's largest Int, in which the API states sizes.
_LARGEST_INT = 2**31 - 1

_DATABASE_SCHEMES = ("postgresql", "postgres")
_REDIS_SCHEMES = ("redis", "rediss", "unix")
_SMTP_SCHEMES = ("smtp", "smtps")
_HTTP_SCHEMES = ("http", "https")
# As browsers send it: in lower case, with nothing after the port.
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")


def process_environment() -> dict[str, str]:
    """Return a copy of this process's environment."""
    return dict(os.environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the API, the workers and mails; each field is a variable of the environment.

    Args:
        database_url: DATABASE_URL.
        redis_url: REDIS_URL.
        plugins: CASEROLL_PLUGINS, the plugins.toml to read; None: the one of `default_path`.
        smtp_url: CASEROLL_SMTP_URL, `smtp://user:password@host:587` or `smtps://host`.
        mail_from: CASEROLL_MAIL_FROM, the sender of every mail.
        mail_dir: CASEROLL_MAIL_DIR, the folder for mails as .eml files without an SMTP server.
        host: CASEROLL_HOST, the address that the API listens on.
        port: CASEROLL_PORT, its port.
        limits: CASEROLL_MAX_UPLOAD_BYTES, CASEROLL_MAX_ROWS, CASEROLL_MAX_COLUMNS of a file.
        chunk_rows: CASEROLL_CHUNK_ROWS, rows per transaction.
        workers: CASEROLL_WORKERS, processes of `caseroll worker`.
        max_request_bytes: CASEROLL_MAX_REQUEST_BYTES, of JSON, also in a WebSocket message.
        query: CASEROLL_MAX_QUERY_TOKENS and so on, by the limit's name.
        token: CASEROLL_MAX_REQUESTS_PER_SECOND and so on.
        patience: CASEROLL_HEAD_SECONDS, CASEROLL_INIT_SECONDS, CASEROLL_IDLE_SECONDS,
            CASEROLL_MIN_BYTES_PER_SECOND.
        origins: CASEROLL_ORIGINS, web pages of other sites that may use the API.
        retention_days: CASEROLL_RETENTION_DAYS, after which files and row results go; 0: never.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    plugins: Path | None = None
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = DEFAULT_MAIL_FROM
    mail_dir: Path | None = None
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    limits: Limits = field(default_factory=Limits)
    chunk_rows: int = DEFAULT_CHUNK_ROWS
    workers: int = DEFAULT_WORKERS
    max_request_bytes: int = DEFAULT_MAX_REQUEST_BYTES
    query: QueryLimits = field(default_factory=QueryLimits)
    token: TokenLimits = field(default_factory=TokenLimits)
    patience: Patience = field(default_factory=Patience)
    origins: tuple[str, ...] = ()
    retention_days: int = DEFAULT_RETENTION_DAYS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            ConfigError: variables are missing or wrong; it names them all.
        """
        reader = _Reader(environ)
        settings = cls(
            database_url=reader.url("DATABASE_URL", _DATABASE_SCHEMES)
            or reader.missing("DATABASE_URL"),
            redis_url=reader.url("REDIS_URL", _REDIS_SCHEMES) or reader.missing("REDIS_URL"),
            plugins=reader.file("CASEROLL_PLUGINS"),
            smtp_url=reader.url("CASEROLL_SMTP_URL", _SMTP_SCHEMES),
            mail_from=reader.address("CASEROLL_MAIL_FROM", DEFAULT_MAIL_FROM),
            mail_dir=reader.path("CASEROLL_MAIL_DIR"),
            host=reader.text("CASEROLL_HOST") or DEFAULT_HOST,
            port=reader.number("CASEROLL_PORT", DEFAULT_PORT, high=65_535),
            limits=reader.limits(),
            chunk_rows=reader.number("CASEROLL_CHUNK_ROWS", DEFAULT_CHUNK_ROWS, high=100_000),
            workers=reader.number("CASEROLL_WORKERS", DEFAULT_WORKERS, high=1_000),
            max_request_bytes=reader.number(
                "CASEROLL_MAX_REQUEST_BYTES", DEFAULT_MAX_REQUEST_BYTES, high=_LARGEST_INT
            ),
            query=QueryLimits(**reader.numbers("CASEROLL_MAX_QUERY_", QueryLimits())),
            token=TokenLimits(**reader.numbers("CASEROLL_MAX_", TokenLimits())),
            patience=Patience(**reader.numbers("CASEROLL_", Patience())),
            origins=reader.origins("CASEROLL_ORIGINS"),
            retention_days=reader.number(
                "CASEROLL_RETENTION_DAYS", DEFAULT_RETENTION_DAYS, low=0, high=36_500
            ),
        )
        reader.check()
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the command line finds the API; None if not set.

    Args:
        url: CASEROLL_URL, e.g. `http://127.0.0.1:8000`.
        token: CASEROLL_TOKEN.
    """

    url: str | None = None
    token: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ClientSettings:
        """Read the settings.

        Raises:
            ConfigError: the URL is malformed.
        """
        reader = _Reader(environ)
        settings = cls(
            url=reader.url("CASEROLL_URL", _HTTP_SCHEMES), token=reader.text("CASEROLL_TOKEN")
        )
        reader.check()
        return settings


def plugins_file(environ: Mapping[str, str]) -> Path | None:
    """Return CASEROLL_PLUGINS alone, for commands that need no server.

    Raises:
        ConfigError: there is no such file.
    """
    reader = _Reader(environ)
    path = reader.file("CASEROLL_PLUGINS")
    reader.check()
    return path


class _Reader:
    """Reads variables one by one and collects what is wrong; a blank variable counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def check(self) -> None:
        if self._problems:
            raise ConfigError(self._problems)

    def missing(self, name: str) -> str:
        if not self.text(name):
            self._problems.append(f"{name} is not set.")
        return ""

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def number(self, name: str, default: int, *, low: int = 1, high: int = 2**62) -> int:
        text = self.text(name)
        if text is None:
            return default
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        limit = f"from {low} to {high}" if high < 2**62 else f"of {low} or more"
        self._problems.append(f"{name} has to be a whole number {limit}, not {text!r}.")
        return default

    def numbers(
        self, prefix: str, defaults: QueryLimits | TokenLimits | Patience
    ) -> dict[str, int]:
        """Read one number for each limit, named like it."""
        return {
            name: self.number(
                f"{prefix}{name.upper()}", int(default), high=HIGHEST.get(name, _LARGEST_INT)
            )
            for name, default in defaults._asdict().items()
        }

    def limits(self) -> Limits:
        default = Limits()
        return Limits(
            max_bytes=self.number(
                "CASEROLL_MAX_UPLOAD_BYTES", default.max_bytes, high=_LARGEST_INT
            ),
            max_rows=self.number("CASEROLL_MAX_ROWS", default.max_rows),
            max_columns=self.number("CASEROLL_MAX_COLUMNS", default.max_columns, high=1_000),
        )

    def origins(self, name: str) -> tuple[str, ...]:
        origins = tuple((self.text(name) or "").replace(",", " ").split())
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                self._problems.append(
                    f"{name} has to be origins such as https://cases.example.org, not {origin!r}."
                )
        return origins

    def url(self, name: str, schemes: tuple[str, ...]) -> str | None:
        """Read a URL, which may hold a password: no problem repeats it."""
        text = self.text(name)
        if text is None:
            return None
        try:
            scheme = urlsplit(text).scheme if "://" in text else ""
        except ValueError:
            scheme = ""
        if scheme in schemes:
            return text
        self._problems.append(f"{name} has to be a URL that begins with {schemes[0]}://.")
        return None

    def address(self, name: str, default: str) -> str:
        text = self.text(name) or default
        if "@" not in text or not text.isprintable():
            self._problems.append(f"{name} has to be an e-mail address, not {text!r}.")
        return text

    def path(self, name: str) -> Path | None:
        text = self.text(name)
        return Path(text) if text else None

    def file(self, name: str) -> Path | None:
        path = self.path(name)
        if path is not None and not path.is_file():
            self._problems.append(f"{name}: there is no file {str(path)!r}.")
        return path
