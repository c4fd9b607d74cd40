"""Users: who can be put on cases."""

from __future__ import annotations

from api.console.pages.people.entities import EntityOperations, EntityScreens

_NAMES = ("givenName", "familyName", "tagId", "locale", "zoneinfo")

USERS = EntityScreens(
    noun="user",
    operations=EntityOperations(
        show_list="users",
        show_one="user",
        show_form="user_form",
        create="create_user",
        update="update_user",
    ),
    statuses=("ACTIVE", "DISABLED"),
    new=("email", *_NAMES),
    edited=(*_NAMES, "status"),
    required="email",
    exports=("modify-users", "add-users"),
)
