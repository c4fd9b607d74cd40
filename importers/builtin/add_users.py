"""Add users."""

from __future__ import annotations

from importers import AddUser, Email, Importer, Locale, Name, Row, TagId, TimeZone


class AddUsers(Importer):
    """Create users. Rows of users who are there already, just so, change nothing."""

    label = "Add users"
    at_worst = "adds"

    username = Email(
        required=True,
        is_key=True,
        example="jo.smith@example.org",
        help="The user's e-mail address, which no other user may have.",
    )
    given_name = Name(longest=200, default="", example="Jo", help="First name.")
    family_name = Name(longest=200, default="", example="Smith", help="Last name.")
    locale = Locale(example="en", help="Preferred language, a BCP 47 tag; sp is read as es.")
    zoneinfo = TimeZone(example="America/New_York", help="Time zone, an IANA name.")
    host_tag_id = TagId(
        is_key=True,
        example="smith-001",
        help="Your own name for the user, which no other user may have. It is permanent.",
    )

    def change(self, row: Row) -> AddUser:
        """Create the row's user."""
        return AddUser(
            email=row.username,
            given_name=row.given_name,
            family_name=row.family_name,
            locale=row.locale,
            zoneinfo=row.zoneinfo,
            tag_id=row.host_tag_id,
        )
