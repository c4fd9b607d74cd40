"""The message of `caseroll up` once the API is ready."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING

import click

from api.cli.failure import RefusedError

if TYPE_CHECKING:
    from api.cli.folder import DataFolder
    from api.settings import Settings

_READY_SECONDS = 60.0
# The socket accepts connections before the API answers; a long probe would keep the supervisor
# from watching its children.
_PROBE_SECONDS = 0.5
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to connect, not to listen


class Welcome:
    """Waits for the API and then prints, once, where everything is and what to try."""

    def __init__(self, settings: Settings, folder: DataFolder, token: str) -> None:
        self._settings = settings
        self._folder = folder
        self._token = token
        self._host = _ANY_ADDRESS.get(settings.host, settings.host)
        self._deadline = time.monotonic() + _READY_SECONDS
        self._is_done = False

    @property
    def url(self) -> str:
        """The base URL of the API."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._settings.port}"

    def when_ready(self) -> None:
        """Print the welcome if the API is ready now; to be called until it is.

        Raises:
            RefusedError: it has not been ready for a minute.
        """
        if self._is_done:
            return
        if self._is_ready():
            self._is_done = True
            click.echo(self._text())
        elif time.monotonic() > self._deadline:
            raise RefusedError(f"the API was not ready within {_READY_SECONDS:.0f} seconds.")

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(
            self._host, self._settings.port, timeout=_PROBE_SECONDS
        )
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _console(self) -> dict[str, str]:
        """Return the link by which a browser is signed in: a fragment reaches no server's log."""
        if not self._settings.has_console:
            return {}
        link = f"{self.url}{self._settings.root_path}/console/sign-in#token={self._token}"
        return {"Console": f"{link}  (open it in a browser)"}

    def _text(self) -> str:
        path = self._folder.path
        mails = f"no mail server is configured: they are .eml files in {self._settings.mail_dir}"
        if self._settings.smtp_url:
            mails = "go out by the mail server of CASEROLL_SMTP_URL"
        lines = {
            **self._console(),
            "API": f"{self.url}/graphql",
            "Token": f"{self._token}  (also in {path / 'admin.token'})",
            "Data": str(path),
            "Mails": mails,
            "Try": f"caseroll sample assign -o assign.csv{self._folder.option} && "
            f'caseroll import assign.csv --type assign --name "First try"{self._folder.option}',
        }
        shown = [f"  {click.style(f'{name:<7}', bold=True)} {text}" for name, text in lines.items()]
        return "\n".join(["Caseroll is ready; Ctrl-C stops it.", *shown])
