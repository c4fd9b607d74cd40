"""Mails over a real SMTP server on this machine, and as files."""

from __future__ import annotations

import email
import socket
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from api.notify.mailer import FileTransport, SmtpTransport, compose, make_transport
from importers.mail_sender import NoTransport, NotSentError
from importers.sdk.node_id import encode_node_id
from models.mail import EndMail, OutgoingMail
from models.row import RowOutcome
from tests.api.notify.deliveries import STATE

SENDER = "cases@example.org"
MAIL = OutgoingMail(
    id=7,
    attempts=1,
    recipient="jo@example.org",
    given_name="Jo",
    case_tag="trv-001",
    case_about="A journey",
    role_label="Staff",
    outcome=RowOutcome.CREATED,
    app_name="Demo",
)

END = EndMail(
    id=8,
    attempts=1,
    recipient="boss@example.org",
    app_name="Demo",
    import_id=5,
    import_state=STATE,
)
PATH = encode_node_id("Import", 5)


class Inbox:
    """An SMTP server's handler: keeps mails, answers as it is told."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, str] = {}

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Answer the sender's address."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Answer the recipient's address."""
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Answer the text, or drop the connection."""
        if self.answers.get("DATA") == "drop":
            server.transport.abort()
            return "250 too late"
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Answer the end."""
        return self.answers.get("QUIT", "221 Bye")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def url(inbox: Inbox) -> Iterator[str]:
    """The URL of an SMTP server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    yield f"smtp://127.0.0.1:{port}"
    controller.stop()


def test_accepted(inbox: Inbox, url: str) -> None:
    """A mail says who is put on which case, in which role."""
    SmtpTransport(url, SENDER).send(MAIL)
    (mail,) = inbox.mails

    assert inbox.recipients == ["jo@example.org"]
    assert mail["From"] == SENDER
    assert mail["To"] == "jo@example.org"
    assert mail["Subject"] == "You are on case trv-001"
    assert mail["Message-ID"] == "<mail-7.caseroll@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == (
        "Hello Jo,\n\nYou have been put on the case trv-001 (A journey).\n"
        "Your role: Staff.\n\nDemo\n"
    )


def test_updated() -> None:
    """A mail about a change says so; what is not known is left out."""
    outgoing = MAIL._replace(outcome=RowOutcome.UPDATED, given_name="", case_tag=None)
    mail = compose(outgoing, SENDER)

    assert mail["Subject"] == "Your role on case A journey"
    assert mail.get_content() == (
        "Hello,\n\nYour assignment has changed on the case A journey.\nYour role: Staff.\n\nDemo\n"
    )


@pytest.mark.parametrize("locale", ["es", "es-MX"])
def test_in_the_language_of_the_user(locale: str) -> None:
    """A mail is in the user's language, if there is a catalogue of it; else in English."""
    mail = compose(MAIL._replace(locale=locale), SENDER)
    changed = compose(MAIL._replace(locale=locale, outcome=RowOutcome.UPDATED), SENDER)
    english = compose(MAIL._replace(locale="fr"), SENDER)

    assert mail["Subject"] == "Está en el caso trv-001"
    assert mail.get_content() == (
        "Hola, Jo:\n\nSe le ha asignado al caso trv-001 (A journey).\nSu rol: Staff.\n\nDemo\n"
    )
    assert changed["Subject"] == "Su rol en el caso trv-001"
    assert english["Subject"] == "You are on case trv-001"


@pytest.mark.parametrize(
    "address",
    ["=?utf-8?q??=@x.com", "=?utf-8?q?a=40b.org=2C_c?=@x.com", "a\r\nBcc: b@x.org", "\ud800@x.org"],
)
def test_addresses_that_break_a_mail(tmp_path: Path, address: str) -> None:
    """Whatever the parser of addresses makes of one, the mail was certainly not sent."""
    with pytest.raises(NotSentError, match="can't be used") as raised:
        FileTransport(tmp_path, SENDER).send(MAIL._replace(recipient=address))

    assert raised.value.is_final
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["jo@ex\u00e4mple.org", "j\u00f6@example.org"])
def test_international_addresses(inbox: Inbox, url: str, address: str) -> None:
    """An address need not be ASCII when the server says that it can do without."""
    SmtpTransport(url, SENDER).send(MAIL._replace(recipient=address, given_name="J\u00f6"))

    assert inbox.recipients == [address]


@pytest.mark.parametrize(
    ("step", "answer", "is_final"),
    [
        ("MAIL", "451 busy", False),
        ("MAIL", "550 not you", True),
        ("RCPT", "450 mailbox busy", False),
        ("RCPT", "550 no such user", True),
        ("DATA", "452 disk full", False),
        ("DATA", "554 spam", True),
    ],
)
def test_refused(inbox: Inbox, url: str, step: str, answer: str, is_final: bool) -> None:
    """A 4xx is tried again, a 5xx is not, whichever step it answers."""
    inbox.answers[step] = answer
    with pytest.raises(NotSentError) as caught:
        SmtpTransport(url, SENDER).send(MAIL)

    assert (caught.value.reason, caught.value.is_final) == (answer, is_final)
    assert inbox.mails == []


def test_what_the_server_says_is_one_line(inbox: Inbox, url: str) -> None:
    """A server's answer makes no lines of its own in the log, and nothing that can't be stored."""
    inbox.answers["RCPT"] = "550-no\x1b[2J\r\n550 2026-01-01 ERROR forged\x00"
    with pytest.raises(NotSentError) as caught:
        SmtpTransport(url, SENDER).send(MAIL)

    assert caught.value.reason == "550 no?[2J 2026-01-01 ERROR forged?"


def test_dropped_in_the_text(inbox: Inbox, url: str) -> None:
    """When the connection ends after the text was sent, nobody knows: that is no NotSentError."""
    inbox.answers["DATA"] = "drop"
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever smtplib raises
        SmtpTransport(url, SENDER).send(MAIL)

    assert not isinstance(caught.value, NotSentError)


@pytest.mark.parametrize("answer", ["421 shutting down", "500 what?"])
@pytest.mark.parametrize("code", [None, "451 busy"])
def test_what_the_goodbye_says_does_not_matter(
    inbox: Inbox, url: str, answer: str, code: str | None
) -> None:
    """A mail that was accepted is sent, one that was refused is not, whatever QUIT is answered."""
    inbox.answers["QUIT"] = answer
    if code is None:
        SmtpTransport(url, SENDER).send(MAIL)
    else:
        inbox.answers["RCPT"] = code
        with pytest.raises(NotSentError, match="451 busy"):
            SmtpTransport(url, SENDER).send(MAIL)

    assert len(inbox.mails) == (0 if code else 1)


def test_no_server() -> None:
    """A server that is out of reach is tried again."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotSentError) as caught:
        SmtpTransport(f"smtp://127.0.0.1:{port}", SENDER).send(MAIL)

    assert not caught.value.is_final


def test_a_login_that_is_refused(url: str) -> None:
    """A server that does not let us in has not accepted the mail."""
    with pytest.raises(NotSentError):
        SmtpTransport(url.replace("//", "//jo:secret@"), SENDER).send(MAIL)


def breaking(text: str) -> list[OutgoingMail]:
    return [
        MAIL._replace(case_tag=text),
        MAIL._replace(case_tag=None, case_about=text),
        MAIL._replace(given_name=text),
        MAIL._replace(role_label=text),
        MAIL._replace(app_name=text),
    ]


@pytest.mark.parametrize("outgoing", breaking("x\r\nBcc: eve@example.org\r\n\r\nBuy!"))
def test_no_header_can_be_slipped_in(inbox: Inbox, url: str, outgoing: OutgoingMail) -> None:
    """Line ends in names become spaces: no text makes a header, another body or a recipient."""
    SmtpTransport(url, SENDER).send(outgoing)
    (mail,) = inbox.mails

    assert mail["Bcc"] is None
    assert inbox.recipients == ["jo@example.org"]
    assert not any(line.startswith(("Bcc:", "Buy!")) for line in str(mail).splitlines())


@pytest.mark.parametrize(
    "recipient",
    ["jo@example.org\r\nBcc: eve@example.org", "jo@example.org\nRCPT TO:<eve@example.org>", "\n"],
)
def test_an_address_with_a_line_end(inbox: Inbox, url: str, recipient: str) -> None:
    """An address that could slip in a header or a command is certainly not sent to."""
    with pytest.raises(NotSentError) as caught:
        SmtpTransport(url, SENDER).send(MAIL._replace(recipient=recipient))

    assert caught.value.is_final
    assert inbox.mails == []


def test_dots_and_long_lines(inbox: Inbox, url: str) -> None:
    """A line of one dot does not end the mail, and a long text arrives whole."""
    about = "." + " word" * 500
    SmtpTransport(url, SENDER).send(MAIL._replace(case_about=about, app_name="."))
    (mail,) = inbox.mails

    assert about in mail.get_content()
    assert mail.get_content().splitlines()[-1] == "."


def test_files(tmp_path: Path) -> None:
    """Without a server each mail becomes a file; written twice, it is one file."""
    transport = FileTransport(tmp_path / "mails", SENDER)
    transport.send(MAIL)
    transport.send(MAIL)
    (path,) = (tmp_path / "mails").iterdir()
    mail = email.message_from_bytes(path.read_bytes(), policy=default)

    assert path.name == "00000007.eml"
    assert mail["To"] == "jo@example.org"


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    """A mail that could not be written is tried again."""
    (tmp_path / "mails").write_text("in the way")
    with pytest.raises(NotSentError) as caught:
        FileTransport(tmp_path / "mails", SENDER).send(MAIL)

    assert not caught.value.is_final


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        pytest.param(
            lambda path: make_transport("smtp://x", path, SENDER), SmtpTransport, id="both"
        ),
        pytest.param(lambda path: make_transport(None, path, SENDER), FileTransport, id="folder"),
        pytest.param(lambda _: make_transport(None, None, SENDER), NoTransport, id="neither"),
    ],
)
def test_how_mails_leave(tmp_path: Path, make: Callable[[Path], object], kind: type) -> None:
    """A server comes before a folder."""
    assert type(make(tmp_path)) is kind


def test_neither() -> None:
    """Without a server and a folder, mails wait."""
    with pytest.raises(NotSentError, match="neither CASEROLL_SMTP_URL nor CASEROLL_MAIL_DIR"):
        make_transport(None, None, SENDER).send(MAIL)


def test_about_an_end() -> None:
    """A mail about an end says what ended, how, and where the failed rows are."""
    mail = compose(END, SENDER)

    assert (mail["To"], mail["Message-ID"]) == ("boss@example.org", "<mail-8.caseroll@example.org>")
    assert mail["Subject"] == "The import 'May' is finished; failed rows: 1"
    assert mail.get_content() == (
        "Hello,\n\nThe import 'May' (type assign) is finished.\n\n"
        "Rows: 3 (2 passed, 1 failed, 2 created).\n\n"
        "The failed rows, to be corrected and uploaded again:\n\n"
        f"    caseroll failed-rows {PATH} -o failed.csv\n\n"
        f"or /files/imports/{PATH}/failed-rows.csv at the API, with your token.\n\nDemo\n"
    )


@pytest.mark.parametrize(
    ("changes", "subject", "text"),
    [
        pytest.param(
            {"failed": 0, "passed": 3, "created": 3},
            "The import 'May' is finished",
            "The import 'May' (type assign) is finished.\n\nRows: 3 (3 passed, 3 created).",
            id="all passed",
        ),
        pytest.param(
            {"failed": 0, "is_dry_run": True},
            "The dry run 'May' is finished",
            "Its rows were only tried out; nothing has been changed.",
            id="dry run",
        ),
        pytest.param(
            {"status": "CANCELLED", "failed": 0, "cancelled": 1},
            "The import 'May' was cancelled",
            "Rows: 3 (2 passed, 1 cancelled, 2 created).",
            id="cancelled",
        ),
        pytest.param(
            {"status": "FAILED", "total": 0, "passed": 0, "failed": 0, "created": 0},
            "The import 'May' has failed",
            f"The file was refused; `errors` of the import {PATH} say why.",
            id="refused",
        ),
        pytest.param(
            {"name": "May\r\nBcc: x@example.org", "failed": 0},
            "The import 'May Bcc: x@example.org' is finished",
            "The import 'May Bcc: x@example.org' (type assign)",
            id="lines in its name",
        ),
    ],
)
def test_ends(changes: dict[str, Any], subject: str, text: str) -> None:
    """Each way in which an import ends has its words."""
    mail = compose(END._replace(import_state={**STATE, **changes}), SENDER)

    assert mail["Subject"] == subject
    assert text in mail.get_content()
    assert ("failed-rows" in mail.get_content()) is bool({**STATE, **changes}["failed"])
