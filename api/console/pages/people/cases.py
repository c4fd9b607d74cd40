"""Cases: what users are put on."""

from __future__ import annotations

from api.console.pages.people.entities import EntityOperations, EntityScreens

_FIELDS = ("about", "tagId", "dateOpened", "status")

CASES = EntityScreens(
    noun="case",
    operations=EntityOperations(
        show_list="cases",
        show_one="case",
        show_form="case_form",
        create="create_case",
        update="update_case",
    ),
    statuses=("ACTIVE", "CLOSED"),
    new=_FIELDS,
    edited=_FIELDS,
    required="about",
    exports=("modify-cases", "add-cases"),
)
