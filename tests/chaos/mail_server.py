"""A mail server that counts the mails that it takes."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes, policy
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller

from bench.port import free_port


class MailServer:
    """An SMTP server on a free port, with a thread of its own."""

    def __init__(self) -> None:
        self.received: Counter[tuple[str, str]] = Counter()
        self._port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Note a mail by its recipient and its subject."""
        subject = message_from_bytes(envelope.content, policy=policy.default)["Subject"]
        for recipient in envelope.rcpt_tos:
            self.received[recipient, str(subject)] += 1
        return "250 Taken"

    @property
    def url(self) -> str:
        """A CASEROLL_SMTP_URL."""
        return f"smtp://127.0.0.1:{self._port}"

    def __enter__(self) -> MailServer:
        self._controller.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._controller.stop()
