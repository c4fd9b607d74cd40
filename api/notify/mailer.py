"""Mails: what they say, and how they leave, over SMTP or as files."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from api.language import choose_language
from importers.language.translator import own_translators
from importers.mail_sender import NoTransport, NotSentError
from importers.sdk.cells.formats import is_email
from importers.sdk.node_id import encode_node_id
from models.imports import ImportStatus
from models.mail import EndMail
from models.row import RowOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from importers.mail_sender import MailTransport
    from models.mail import OutgoingMail, TakenMail

_SECONDS = 20
_ACCEPTED, _FORWARDED, _PERMANENT = 250, 251, 500
_ENDINGS = {
    ImportStatus.PROCESSED: "is finished",
    ImportStatus.FAILED: "has failed",
    ImportStatus.CANCELLED: "was cancelled",
}
_COUNTS = ("passed", "failed", "cancelled", "created", "updated", "removed", "unchanged")


def compose(mail: TakenMail, sender: str) -> EmailMessage:
    """Write a mail.

    The Message-ID depends only on the mail's id, so that a receiver can drop a second copy.

    Raises:
        ValueError: a mail program would read the address as another one.
    """
    if not is_email(mail.recipient):
        raise ValueError(f"{mail.recipient!r} is no e-mail address")
    message = EmailMessage(policy=SMTP if mail.recipient.isascii() else SMTPUTF8)
    subject, text = _about_end(mail) if isinstance(mail, EndMail) else _about_assignment(mail)
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = f"<mail-{mail.id}.caseroll@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{text}\n\n{_one_line(mail.app_name)}\n")
    return message


def _about_assignment(mail: OutgoingMail) -> tuple[str, str]:
    """Return subject and text of a mail to a user, in the user's language."""
    say = own_translators()[choose_language(mail.locale or "")].say
    case = _one_line(mail.case_tag or mail.case_about or say("MAIL", "a case"))
    about = f" ({_one_line(mail.case_about)})" if mail.case_about and mail.case_tag else ""
    if mail.outcome is RowOutcome.CREATED:
        subject = say("MAIL", "You are on case {case}", case=case)
        news = say("MAIL", "You have been put on the case {case}.", case=case + about)
    else:
        subject = say("MAIL", "Your role on case {case}", case=case)
        news = say("MAIL", "Your assignment has changed on the case {case}.", case=case + about)
    name = _one_line(mail.given_name)
    greeting = say("MAIL", "Hello {name},", name=name) if name else say("MAIL", "Hello,")
    role = say("MAIL", "Your role: {role}.", role=_one_line(mail.role_label))
    return subject, f"{greeting}\n\n{news}\n{role}"


def _about_end(mail: EndMail) -> tuple[str, str]:
    """Return subject and text of a mail that an upload has asked for."""
    state, node_id = mail.import_state, encode_node_id("Import", mail.import_id)
    name, kind = _one_line(state["name"]), "dry run" if state["is_dry_run"] else "import"
    ending = _ENDINGS[ImportStatus(state["status"])]
    failed = f"; failed rows: {state['failed']:,}" if state["failed"] else ""
    rows = ", ".join(f"{state[count]:,} {count}" for count in _COUNTS if state[count])
    text = [
        f"Hello,\n\nThe {kind} '{name}' (type {state['type']}) {ending}.",
        f"Rows: {state['total']:,}" + (f" ({rows})." if rows else "."),
    ]
    if state["is_dry_run"]:
        text.append("Its rows were only tried out; nothing has been changed.")
    if state["failed"]:
        text.append(
            "The failed rows, to be corrected and uploaded again:\n\n"
            f"    caseroll failed-rows {node_id} -o failed.csv\n\n"
            f"or /files/imports/{node_id}/failed-rows.csv at the API, with your token."
        )
    elif not state["total"]:
        text.append(f"The file was refused; `errors` of the import {node_id} say why.")
    return f"The {kind} '{name}' {ending}{failed}", "\n\n".join(text)


def _compose_bytes(mail: TakenMail, sender: str) -> bytes:
    try:
        return compose(mail, sender).as_bytes()
    except Exception as error:  # Python's address parser raises exceptions of all kinds
        raise NotSentError(f"the address can't be used: {error!r}", is_final=True) from error


def _one_line(text: str) -> str:
    return " ".join(text.split())


def make_transport(smtp_url: str | None, mail_dir: Path | None, sender: str) -> MailTransport:
    """Choose how mails leave: by SMTP, else as files, else they wait."""
    if smtp_url:
        return SmtpTransport(smtp_url, sender)
    if mail_dir:
        return FileTransport(mail_dir, sender)
    return NoTransport("neither CASEROLL_SMTP_URL nor CASEROLL_MAIL_DIR is set")


class SmtpTransport(NamedTuple):
    """Send over SMTP; `smtps://` for TLS from the first byte, else STARTTLS where it is offered.

    Args:
        url: `smtp://user:password@host:port`.
    """

    url: str
    sender: str

    def send(self, mail: TakenMail) -> None:
        """Send the mail.

        A connection that is lost while the text is sent leaves open whether the server has it, so
        the exception is then none of `NotSentError`.
        """
        message = _compose_bytes(mail, self.sender)
        server = self._connect()
        try:
            # Step by step, not by `sendmail`: a connection lost before the text means that the mail
            # was not sent; one lost during the text leaves that open.
            self._send_envelope(server, mail.recipient)
            code, answer = server.data(message)
        except smtplib.SMTPDataError as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        finally:
            # Errors of quitting change nothing about the mail.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()
        if code != _ACCEPTED:
            raise _refusal(code, answer)

    def _connect(self) -> smtplib.SMTP:
        url, context = urlsplit(self.url), ssl.create_default_context()
        host, is_tls = url.hostname or "localhost", url.scheme == "smtps"
        server: smtplib.SMTP | None = None
        try:
            if is_tls:
                server = smtplib.SMTP_SSL(host, url.port or 465, timeout=_SECONDS, context=context)
            else:
                server = smtplib.SMTP(host, url.port or 25, timeout=_SECONDS)
            server.ehlo()
            if not is_tls and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
        except (OSError, smtplib.SMTPException) as error:
            if server:
                server.close()
            raise NotSentError(_describe(error)) from error
        return server

    def _send_envelope(self, server: smtplib.SMTP, recipient: str) -> None:
        options = [] if recipient.isascii() else ["SMTPUTF8"]
        try:
            answers = [server.mail(self.sender, options), server.rcpt(recipient)]
        except (OSError, smtplib.SMTPException) as error:
            raise NotSentError(_describe(error)) from error
        for code, answer in answers:
            if code not in (_ACCEPTED, _FORWARDED):
                raise _refusal(code, answer)


class FileTransport(NamedTuple):
    """Write each mail as an `.eml` file; writing one twice leaves one."""

    folder: Path
    sender: str

    def send(self, mail: TakenMail) -> None:
        """Write the file; its reader sees it whole or not at all."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # A name with a dot in front, which readers of `*.eml` don't see.
            draft = self.folder / f".{mail.id:08}.eml"
            draft.write_bytes(_compose_bytes(mail, self.sender))
            draft.replace(self.folder / f"{mail.id:08}.eml")
        except OSError as error:
            raise NotSentError(_describe(error)) from error


def _refusal(code: int, answer: bytes | str) -> NotSentError:
    return NotSentError(f"{code} {_printable_line(answer)}", is_final=code >= _PERMANENT)


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_printable_line(error.smtp_error)}"
    return _printable_line(str(error)) or type(error).__name__


def _printable_line(answer: bytes | str) -> str:
    """Make a server's answer fit for the log and the database: one line, only printable."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return "".join(character if character.isprintable() else "?" for character in _one_line(text))
