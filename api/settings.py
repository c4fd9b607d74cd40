"""Settings from the environment; no other file reads it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from api.limits import HIGHEST, Patience, QueryLimits, TokenLimits
from importers.reading.limits import Limits
from importers.sdk.errors import ConfigError
from models.database_url import SCHEMES, DatabaseUrlError, credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.webhook_address import Network

# GraphQL's largest Int, in which the API states sizes.
_LARGEST_INT = 2**31 - 1

# As browsers send it: in lower case, with nothing after the port. Apps that show pages have schemes
# of their own, such as `capacitor://localhost`.
_ORIGIN = re.compile(r"(?!file:)[a-z][a-z0-9+.\-]*://[a-z0-9._\-\[\]:]+")
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~\-]+)*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def process_environment() -> dict[str, str]:
    """Return a copy of this process's environment."""
    return dict(os.environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the API, the workers and mails; `docs/operating.md` says what each one means."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    plugins: Path | None = None
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = "caseroll@localhost"
    mail_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    limits: Limits = field(default_factory=Limits)
    chunk_rows: int = 10_000
    workers: int = 2
    # A plugin that takes gigabytes must not take the host along.
    worker_memory_bytes: int = 4 * 1024**3
    max_request_bytes: int = 1024 * 1024
    query: QueryLimits = field(default_factory=QueryLimits)
    token: TokenLimits = field(default_factory=TokenLimits)
    patience: Patience = field(default_factory=Patience)
    origins: tuple[str, ...] = ()
    origin_headers: tuple[str, ...] = ()
    # Failed rows are corrected within days, and reports look back over a quarter.
    retention_days: int = 90
    many_cases: int = 100
    webhook_networks: tuple[Network, ...] = ()
    undo_days: int = 30
    has_console: bool = True
    # What a proxy takes from the beginning of each path, such as `/caseroll`.
    root_path: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            ConfigError: variables are missing or wrong; it names them all.
        """
        reader, default = _Reader(environ), cls(database_url="", redis_url="")
        settings = cls(
            database_url=reader.database_url(),
            redis_url=reader.needed_url("REDIS_URL", "redis", "rediss", "unix"),
            plugins=reader.file("CASEROLL_PLUGINS"),
            smtp_url=reader.url("CASEROLL_SMTP_URL", "smtp", "smtps"),
            mail_from=reader.address("CASEROLL_MAIL_FROM", default.mail_from),
            mail_dir=reader.path("CASEROLL_MAIL_DIR"),
            host=reader.text("CASEROLL_HOST") or default.host,
            port=reader.number("CASEROLL_PORT", default.port, high=65_535),
            limits=reader.limits(),
            chunk_rows=reader.number("CASEROLL_CHUNK_ROWS", default.chunk_rows, high=100_000),
            workers=reader.number("CASEROLL_WORKERS", default.workers, high=1_000),
            worker_memory_bytes=reader.number(
                "CASEROLL_WORKER_MEMORY_BYTES", default.worker_memory_bytes, low=256 * 1024**2
            ),
            max_request_bytes=reader.number(
                "CASEROLL_MAX_REQUEST_BYTES", default.max_request_bytes, high=_LARGEST_INT
            ),
            query=QueryLimits(**reader.numbers("CASEROLL_MAX_QUERY_", QueryLimits())),
            token=TokenLimits(**reader.numbers("CASEROLL_MAX_", TokenLimits())),
            patience=Patience(**reader.numbers("CASEROLL_", Patience())),
            origins=reader.names(
                "CASEROLL_ORIGINS", _ORIGIN, "origins such as https://a.example.org"
            ),
            origin_headers=reader.names(
                "CASEROLL_ORIGIN_HEADERS", _HEADER_NAME, "names of headers such as X-Request-ID"
            ),
            undo_days=reader.number("CASEROLL_UNDO_DAYS", default.undo_days, low=0, high=36_500),
            retention_days=reader.number(
                "CASEROLL_RETENTION_DAYS", default.retention_days, low=0, high=36_500
            ),
            many_cases=reader.number("CASEROLL_MANY_CASES", default.many_cases, high=1_000_000),
            webhook_networks=reader.networks("CASEROLL_WEBHOOK_NETWORKS"),
            has_console=reader.switch("CASEROLL_CONSOLE"),
            root_path=reader.root_path("CASEROLL_ROOT_PATH"),
        )
        reader.check()
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the command line finds the API, e.g. `http://127.0.0.1:8000`; None if not set."""

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
            url=reader.url("CASEROLL_URL", "http", "https"), token=reader.text("CASEROLL_TOKEN")
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

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def number(self, name: str, default: int, *, low: int = 1, high: int = 2**62) -> int:
        text = self.text(name)
        if text is None:
            return default
        # `int` would also accept signs, underscores and digits of other scripts.
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
            atomic_rows=self.number("CASEROLL_ATOMIC_ROWS", default.atomic_rows),
            max_columns=self.number("CASEROLL_MAX_COLUMNS", default.max_columns, high=1_000),
        )

    def switch(self, name: str) -> bool:
        """Read `on` or `off`; what is not set is on."""
        text = (self.text(name) or "on").lower()
        if text not in ("on", "off"):
            self._problems.append(f"{name} has to be on or off, not {text!r}.")
        return text != "off"

    def root_path(self, name: str) -> str:
        text = (self.text(name) or "").rstrip("/")
        if not _ROOT_PATH.fullmatch(text):
            self._problems.append(f"{name} has to be a path such as /caseroll, not {text!r}.")
        return text

    def names(self, name: str, pattern: re.Pattern[str], expected: str) -> tuple[str, ...]:
        """Read names that are separated by commas or spaces."""
        names = tuple((self.text(name) or "").replace(",", " ").split())
        for each in names:
            if not pattern.fullmatch(each):
                self._problems.append(f"{name} has to be {expected}, not {each!r}.")
        return names

    def networks(self, name: str) -> tuple[Network, ...]:
        """Read networks that are separated by commas or spaces; an address is one of its own."""
        found: list[Network] = []
        for each in (self.text(name) or "").replace(",", " ").split():
            try:
                found.append(ip_network(each))
            except ValueError:
                expected = "networks such as 10.0.0.0/8 or ::1"
                self._problems.append(f"{name} has to be {expected}, not {each!r}.")
        return tuple(found)

    def url(self, name: str, *schemes: str) -> str | None:
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
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        self._problems.append(f"{name} has to be a URL that begins with {begins}.")
        return None

    def needed_url(self, name: str, *schemes: str) -> str:
        if self.text(name) is None:
            self._problems.append(f"{name} is not set.")
        return self.url(name, *schemes) or ""

    def database_url(self) -> str:
        url = self.needed_url("DATABASE_URL", *SCHEMES)
        try:
            if url:
                credentials(url)
        except DatabaseUrlError as error:
            self._problems += error.problems
        return url

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
