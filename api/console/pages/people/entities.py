"""The screens that cases and users have in common: a list, one of them, and the form to edit it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from api.console.filled_form import open_form, read_filled_form, unreadable_days
from api.console.form import read_form
from api.console.pages.people.export_links import export_links
from api.console.paging import nodes, page_links, page_variables
from api.errors import HttpError

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.filled_form import FilledForm
    from api.console.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityScreens:
    """What the screens of cases and those of users differ in.

    Args:
        noun: in the names of templates, fields and operations; with an `s` that of the address.
        statuses: what the list can be filtered by.
        new: fields of the form for a new one; the API says which of them may be blank.
        edited: fields of the form for one that exists.
        required: what a new one can't be without.
        exports: keys of the import types that a list can be downloaded for.
    """

    noun: str
    statuses: tuple[str, ...]
    new: tuple[str, ...]
    edited: tuple[str, ...]
    required: str
    exports: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.noun}s"

    async def show_list(self, visit: Visit) -> Response:
        """Show a page of the list, filtered as the address says."""
        search, status = visit.argument("search"), visit.argument("status")
        status = status if status in self.statuses else None
        data = await visit.run(self.place, search=search, status=status, **page_variables(visit))
        return visit.page(
            f"{self.place}.html",
            data=data,
            entities=nodes(data[self.place]),
            total=data[self.place]["totalCount"],
            links=page_links(visit, data[self.place]),
            chosen_status=status,
            statuses=self.statuses,
            search=search or "",
            is_filtered=bool(search or status),
            exports=export_links(visit, self.place, self.exports, data["importTypes"]),
        )

    async def show_one(self, visit: Visit) -> Response:
        """Show one: its fields, its assignments, and what has changed."""
        data = await visit.run(self.noun, id=visit.path("id"), **page_variables(visit, 20))
        entity = self._found(data)
        files = {self.noun: entity["id"]}
        return visit.page(
            f"{self.noun}.html",
            data=data,
            entity=entity,
            assignments=nodes(entity["assignments"]),
            changes=nodes(data["assignmentChanges"]),
            history=nodes(entity["history"]),
            links=page_links(visit, entity["history"]),
            is_saved=visit.argument("saved") is not None,
            exports=export_links(
                visit, "assignments", ("modify", "remove"), data["importTypes"], **files
            ),
        )

    async def show_form(self, visit: Visit) -> Response:
        """Show the form with what is stored."""
        self._check_permission(visit)
        data = await self._run_form(visit, visit.path("id"))
        entity = self._found(data)
        return self._form_page(visit, data, open_form(self._editable(entity), entity))

    async def save(self, visit: Visit) -> Response:
        """Store what the visitor has changed, or show the form again with what is wrong."""
        self._check_permission(visit)
        form = read_filled_form(await read_form(visit.request), self.edited)
        node_id = visit.path("id")
        changes = {name: value or None for name, value in form.changes.items()}
        problems = unreadable_days(form)
        if changes and not problems:
            saved = await visit.run(f"update_{self.noun}", id=node_id, input=changes)
            problems = saved["saved"]["userErrors"]
        if not problems:
            return visit.go(f"{self.place}/{node_id}", saved="yes")
        data = await self._run_form(visit, node_id)
        self._found(data)
        return self._form_page(visit, data, replace(form, problems=problems))

    async def show_new(self, visit: Visit) -> Response:
        """Show an empty form."""
        self._check_permission(visit)
        data = await self._run_form(visit, None)
        return self._form_page(visit, data, open_form(self.new, {"status": self.statuses[0]}))

    async def create(self, visit: Visit) -> Response:
        """Create one, or show the form again with what is wrong."""
        self._check_permission(visit)
        form = read_filled_form(await read_form(visit.request), self.new)
        given = {name: value for name, value in form.values.items() if value}
        problems = unreadable_days(form)
        if not problems:
            saved = await visit.run(f"create_{self.noun}", input={self.required: "", **given})
            if entity := saved["saved"][self.noun]:
                return visit.go(f"{self.place}/{entity['id']}", saved="yes")
            problems = saved["saved"]["userErrors"]
        data = await self._run_form(visit, None)
        return self._form_page(visit, data, replace(form, problems=problems))

    def _check_permission(self, visit: Visit) -> None:
        """Refuse the form itself: a viewer is not to fill in what would be refused.

        Raises:
            HttpError: the token may only read.
        """
        if not visit.is_admin:
            raise HttpError(403, "FORBIDDEN", f"Only ADMIN tokens may change {self.place}.")

    async def _run_form(self, visit: Visit, node_id: str | None) -> dict[str, Any]:
        """Read what the form needs, and the one that it changes, if it is not for a new one."""
        exists = node_id is not None
        return await visit.run(f"{self.noun}_form", id=node_id or "", exists=exists)

    def _form_page(self, visit: Visit, data: dict[str, Any], form: FilledForm) -> Response:
        return visit.page(
            f"{self.noun}_form.html",
            status=422 if form.problems else 200,
            data=data,
            entity=data.get(self.noun),
            form=form,
            statuses=self.statuses,
        )

    def _editable(self, entity: dict[str, Any]) -> list[str]:
        """Return the fields of the form; a Tag ID that is set is none of them."""
        return [name for name in self.edited if name != "tagId" or not entity["tagId"]]

    def _found(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the one that the page is about.

        Raises:
            HttpError: the app has none of this ID.
        """
        entity: dict[str, Any] | None = data[self.noun]
        if entity is None:
            raise HttpError(404, "NOT_FOUND", f"There is no such {self.noun}.")
        return entity
