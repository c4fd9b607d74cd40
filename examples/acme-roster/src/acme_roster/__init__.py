"""Acme's weekly roster: puts users on matters."""

from dataclasses import dataclass

from importers import Assign, CaseRef, Flag, Importer, RoleRef, Row, UserRef


class Roster(Importer):
    """Put people on matters from the weekly roster."""

    sdk = "1.0"
    label = "Weekly roster"

    @dataclass(frozen=True)
    class Settings:
        mails: bool = False

    settings: Settings

    matter = CaseRef(required=True, example="trv-001", help="Tag ID of the matter.")
    person = UserRef(
        required=True, by="email", example="jack@example.org", help="E-mail address of the person."
    )
    seat = RoleRef(
        required=True,
        choices={"lead": "staff", "guest": "default"},
        example="lead",
        help="`lead` or `guest`.",
    )
    mail = Flag(example="0", help="1 sends a mail, 0 does not; what blank does is a setting.")

    def change(self, row: Row) -> Assign:
        mail = self.settings.mails if row.mail is None else row.mail
        return Assign(case=row.matter, user=row.person, role=row.seat, notify=mail)
