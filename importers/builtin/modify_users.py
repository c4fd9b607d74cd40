"""Modify users."""

from __future__ import annotations

from importers import Importer, Locale, ModifyUser, Name, Row, State, TagId, TimeZone, UserRef


class ModifyUsers(Importer):
    """Change users. A blank cell keeps what is stored."""

    label = "Modify users"
    at_worst = "changes"

    user_id = UserRef(
        required=True,
        is_key=True,
        example="jack-001",
        help="Tag ID of the user, or the ID that the API shows for the user.",
    )
    given_name = Name(longest=200, example="Samuel", help="First name.")
    family_name = Name(longest=200, example="Jack", help="Last name.")
    locale = Locale(example="en", help="Preferred language, a BCP 47 tag; sp is read as es.")
    zoneinfo = TimeZone(example="America/Chicago", help="Time zone, an IANA name.")
    host_tag_id = TagId(
        is_key=True,
        example="jack-001",
        help="A Tag ID for a user who has none; one that is set is permanent.",
    )
    host_user_status = State(
        off="disabled", on="active", example="1", help="0 disables the user, 1 enables the user."
    )

    def change(self, row: Row) -> ModifyUser:
        """Modify the row's user."""
        return ModifyUser(
            user=row.user_id,
            given_name=row.given_name,
            family_name=row.family_name,
            locale=row.locale,
            zoneinfo=row.zoneinfo,
            tag_id=row.host_tag_id,
            is_active=row.host_user_status,
        )
