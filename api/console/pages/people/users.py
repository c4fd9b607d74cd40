"""Users: who can be put on cases."""

from __future__ import annotations

from api.console.pages.people.entities import EntityScreens

_NAMES = ("givenName", "familyName", "tagId", "locale", "zoneinfo")

USERS = EntityScreens(
    noun="user",
    statuses=("ACTIVE", "DISABLED"),
    new=("email", *_NAMES),
    edited=(*_NAMES, "status"),
    required="email",
    exports=("modify-users", "add-users"),
)
