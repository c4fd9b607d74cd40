"""What is done with an import: each action has a page that says what it does, and a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.console.form import read_form
from api.console.pages.changes.change_list import count_kinds
from api.console.pages.changes.consequences import sort_consequences
from api.console.pages.importing.available import (
    is_final,
    must_be_another,
    new_key,
    possible_actions,
)
from api.console.pages.importing.import_page import describe_heading, load_import_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from api.console.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportAction:
    """An action.

    Args:
        name: that of its address, of its template `import_NAME.html`, and of its mutation.
        fields: those of the form that the mutation takes.
        has_plan: whether its page says what is going to be changed.
        place: the tab that the page of the import opens with afterwards; blank for the best one.
    """

    name: str
    fields: Sequence[str] = ()
    has_plan: bool = False
    place: str = ""

    async def show(
        self,
        visit: Visit,
        errors: Sequence[Mapping[str, Any]] = (),
        given: Mapping[str, str | None] | None = None,
    ) -> Response:
        """Say what the action would do, or why it can't be done.

        Args:
            errors: what was wrong with the form, if it was sent.
            given: what stood in it.
        """
        data = await load_import_page(visit, "import_action", withPlan=self.has_plan)
        item, given = data["import"], given or {}
        return visit.page(
            f"import_{self.name}.html",
            422 if errors else 200,
            data=data,
            item=item,
            heading=describe_heading(visit.language, item),
            is_possible=self.name in possible_actions(visit, item),
            is_final=is_final(item),
            must_be_another=must_be_another(visit, item),
            name=given.get("name") or item["name"],
            key=given.get("key") or new_key(),
            errors=errors,
            name_errors=[error for error in errors if "name" in (error["field"] or ())],
            consequences=sort_consequences(item),
            counts=count_kinds(item) if self.has_plan else {},
        )

    async def carry_out(self, visit: Visit) -> Response:
        """Run the mutation, and lead to the import that it makes, or that it is about."""
        form = await read_form(visit.request)
        given = {name: form.first(name) or None for name in self.fields}
        operation = f"{self.name}_import"
        [answer] = (await visit.run(operation, id=visit.path("import_id"), **given)).values()
        if answer["userErrors"]:
            return await self.show(visit, errors=answer["userErrors"], given=given)
        return visit.go(f"imports/{answer['import']['id']}{self.place}")


ACTIONS = (
    ImportAction(name="apply", fields=("name", "key"), has_plan=True, place="/changes"),
    ImportAction(name="undo", fields=("key",), place="/changes"),
    ImportAction(name="cancel"),
    ImportAction(name="release", has_plan=True, place="/changes"),
)
