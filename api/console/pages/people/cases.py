"""Cases: what users are put on."""

from __future__ import annotations

from api.console.pages.people.entities import EntityScreens

_FIELDS = ("about", "tagId", "dateOpened", "status")

CASES = EntityScreens(
    noun="case",
    statuses=("ACTIVE", "CLOSED"),
    new=_FIELDS,
    edited=_FIELDS,
    required="about",
    exports=("modify-cases", "add-cases"),
)
