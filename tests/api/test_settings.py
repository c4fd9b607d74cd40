"""Settings read the environment once and report every problem at once."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from api.limits import Patience, QueryLimits, TokenLimits
from api.settings import ClientSettings, Settings
from importers.reading.limits import Limits
from importers.sdk.errors import ConfigError


class Recorded(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


NEEDED = {"DATABASE_URL": "postgresql://db/caseroll", "REDIS_URL": "redis://broker/0"}


def test_defaults() -> None:
    """With nothing but the two servers named, every other setting has a usable value."""
    settings = Settings.from_environment(NEEDED)

    assert settings.database_url == "postgresql://db/caseroll"
    assert settings.redis_url == "redis://broker/0"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    limits = settings.limits
    assert limits.max_bytes == 512 * 1024 * 1024
    assert (limits.max_rows, limits.max_columns) == (10_000_000, 100)
    assert (settings.chunk_rows, settings.workers) == (10_000, 2)
    assert (settings.plugins, settings.smtp_url, settings.mail_dir) == (None, None, None)


def test_every_variable(tmp_path: Path) -> None:
    """Each variable that the documentation names reaches its field."""
    plugins = tmp_path / "mine.toml"
    plugins.touch()
    settings = Settings.from_environment(
        {
            "DATABASE_URL": "postgres:///x?host=/run",
            "REDIS_URL": "unix:///run/valkey.sock?db=0",
            "CASEROLL_PLUGINS": str(plugins),
            "CASEROLL_SMTP_URL": "smtps://mail",
            "CASEROLL_MAIL_FROM": "Cases <cases@example.org>",
            "CASEROLL_MAIL_DIR": str(tmp_path),
            "CASEROLL_HOST": "0.0.0.0",
            "CASEROLL_PORT": "9000",
            "CASEROLL_MAX_UPLOAD_BYTES": "1",
            "CASEROLL_MAX_ROWS": "2",
            "CASEROLL_MAX_COLUMNS": "3",
            "CASEROLL_CHUNK_ROWS": "4",
            "CASEROLL_WORKERS": "5",
            "CASEROLL_WORKER_MEMORY_BYTES": "268435457",
            "CASEROLL_MAX_REQUEST_BYTES": "6",
            "CASEROLL_MAX_QUERY_CHARACTERS": "7",
            "CASEROLL_MAX_QUERY_TOKENS": "8",
            "CASEROLL_MAX_QUERY_DEPTH": "9",
            "CASEROLL_MAX_QUERY_ALIASES": "10",
            "CASEROLL_MAX_QUERY_ROOT_FIELDS": "11",
            "CASEROLL_MAX_QUERY_FIELDS": "12",
            "CASEROLL_MAX_QUERY_OBJECTS": "13",
            "CASEROLL_MAX_QUERY_VALUES": "24",
            "CASEROLL_MAX_REQUESTS_PER_SECOND": "14",
            "CASEROLL_MAX_RUNNING": "9",
            "CASEROLL_MAX_UPLOADS": "16",
            "CASEROLL_MAX_SOCKETS": "17",
            "CASEROLL_MAX_SUBSCRIPTIONS": "18",
            "CASEROLL_MAX_OPERATIONS": "19",
            "CASEROLL_HEAD_SECONDS": "20",
            "CASEROLL_INIT_SECONDS": "21",
            "CASEROLL_IDLE_SECONDS": "22",
            "CASEROLL_MIN_BYTES_PER_SECOND": "23",
            "CASEROLL_ORIGINS": "https://a.example.org, http://localhost:3000",
            "CASEROLL_ORIGIN_HEADERS": "X-Request-ID x-amzn-trace-id",
            "CASEROLL_RETENTION_DAYS": "0",
            "CASEROLL_MANY_CASES": "25",
            "CASEROLL_WEBHOOK_NETWORKS": "10.2.0.0/16, ::1",
            "CASEROLL_CONSOLE": "off",
            "CASEROLL_ROOT_PATH": "/caseroll/",
        }
    )

    assert settings == Settings(
        database_url="postgres:///x?host=/run",
        redis_url="unix:///run/valkey.sock?db=0",
        plugins=plugins,
        smtp_url="smtps://mail",
        mail_from="Cases <cases@example.org>",
        mail_dir=tmp_path,
        host="0.0.0.0",
        port=9000,
        limits=Limits(max_bytes=1, max_rows=2, max_columns=3),
        chunk_rows=4,
        workers=5,
        worker_memory_bytes=268_435_457,
        max_request_bytes=6,
        query=QueryLimits(
            characters=7,
            tokens=8,
            depth=9,
            aliases=10,
            root_fields=11,
            fields=12,
            objects=13,
            values=24,
        ),
        token=TokenLimits(
            requests_per_second=14,
            running=9,
            uploads=16,
            sockets=17,
            subscriptions=18,
            operations=19,
        ),
        patience=Patience(
            head_seconds=20, init_seconds=21, idle_seconds=22, min_bytes_per_second=23
        ),
        origins=("https://a.example.org", "http://localhost:3000"),
        origin_headers=("X-Request-ID", "x-amzn-trace-id"),
        retention_days=0,
        many_cases=25,
        webhook_networks=(ip_network("10.2.0.0/16"), ip_network("::1/128")),
        has_console=False,
        root_path="/caseroll",
    )


def test_all_problems_at_once() -> None:
    """Every variable at fault is named in one error, not only the first."""
    environ = {
        "REDIS_URL": "localhost:6379",
        "CASEROLL_PORT": "70000",
        "CASEROLL_WORKERS": "two",
        "CASEROLL_RETENTION_DAYS": "-1",
        "CASEROLL_PLUGINS": "/not/there.toml",
        "CASEROLL_MAIL_FROM": "nobody",
        "CASEROLL_WEBHOOK_NETWORKS": "10.2.0.1/16 localhost",
    }

    with pytest.raises(ConfigError) as caught:
        Settings.from_environment(environ)

    assert sorted(caught.value.problems) == [
        "CASEROLL_MAIL_FROM has to be an e-mail address, not 'nobody'.",
        "CASEROLL_PLUGINS: there is no file '/not/there.toml'.",
        "CASEROLL_PORT has to be a whole number from 1 to 65535, not '70000'.",
        "CASEROLL_RETENTION_DAYS has to be a whole number from 0 to 36500, not '-1'.",
        "CASEROLL_WEBHOOK_NETWORKS has to be networks such as 10.0.0.0/8 or ::1, not "
        "'10.2.0.1/16'.",
        "CASEROLL_WEBHOOK_NETWORKS has to be networks such as 10.0.0.0/8 or ::1, not 'localhost'.",
        "CASEROLL_WORKERS has to be a whole number from 1 to 1000, not 'two'.",
        "DATABASE_URL is not set.",
        "REDIS_URL has to be a URL that begins with redis:// or rediss:// or unix://.",
    ]


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "1_000", "١٢", "0x10", "1e3"])
def test_numbers_are_plain_digits(number: str) -> None:
    """A number is ASCII digits and above zero; nothing is guessed."""
    with pytest.raises(ConfigError, match="CASEROLL_MAX_ROWS"):
        Settings.from_environment({**NEEDED, "CASEROLL_MAX_ROWS": number})


@pytest.mark.parametrize(
    "origin",
    [
        "example.org", "https://a.example.org/", "https://A.example.org", "*", "null", "file://",
        "file://x", "tauri://", "://localhost", "capacitor://localhost/index.html",
    ],
)  # fmt: skip
def test_origins_are_as_browsers_say_them(origin: str) -> None:
    """What no browser would say of a page's origin is refused, as it would let nobody in."""
    with pytest.raises(ConfigError, match="CASEROLL_ORIGINS"):
        Settings.from_environment({**NEEDED, "CASEROLL_ORIGINS": origin})


@pytest.mark.parametrize(
    "origin",
    [
        "capacitor://localhost", "ionic://localhost", "tauri://localhost", "http://[::1]:3000",
        "chrome-extension://gighmmpiobklfepjocnamgkkbiglidom", "app://-",
        "moz-extension://8d0fbc1e-5a2c-4f3f-9d24-0c2a1b6c7d8e",
    ],
)  # fmt: skip
def test_origins_of_apps(origin: str) -> None:
    """Apps that show pages have schemes of their own."""
    assert Settings.from_environment({**NEEDED, "CASEROLL_ORIGINS": origin}).origins == (origin,)


@pytest.mark.parametrize("name", ["X-Request-ID:", "x/y", "*;", "é"])
def test_headers_are_names(name: str) -> None:
    """What is no name of a header is refused."""
    with pytest.raises(ConfigError, match="CASEROLL_ORIGIN_HEADERS"):
        Settings.from_environment({**NEEDED, "CASEROLL_ORIGIN_HEADERS": name})


def test_every_variable_is_documented() -> None:
    """The table of settings names every variable that is read."""
    read = Recorded(NEEDED)
    Settings.from_environment(read)
    ClientSettings.from_environment(read)
    table = (Path(__file__).parents[2] / "docs/operating.md").read_text(encoding="utf-8")

    assert [name for name in sorted(read.asked) if f"`{name}`" not in table] == []


def test_blank_is_unset() -> None:
    """A variable that is there but blank is as good as one that is not there."""
    settings = Settings.from_environment({**NEEDED, "CASEROLL_PORT": " ", "CASEROLL_PLUGINS": ""})

    assert (settings.port, settings.plugins) == (8000, None)


def test_passwords_stay_secret() -> None:
    """No password shows in the settings' repr or in a problem."""
    environ = {"DATABASE_URL": "mysql://me:hunter2@db/x", "REDIS_URL": "redis://:hunter2@r/0"}
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment(environ)
    settings = Settings.from_environment(
        {**environ, "DATABASE_URL": "postgresql://me:hunter2@db/x"}
    )

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(settings)


def test_client_settings() -> None:
    """The command line's side needs neither variable, and refuses a URL that is none."""
    assert ClientSettings.from_environment({}) == ClientSettings(url=None, token=None)
    with pytest.raises(ConfigError, match="CASEROLL_URL"):
        ClientSettings.from_environment({"CASEROLL_URL": "127.0.0.1:8000"})
