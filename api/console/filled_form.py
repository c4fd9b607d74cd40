"""A form as its visitor has filled it in: what changed, and what the API found wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from api.language import translator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from api.console.form import Form

_WAS = "was-"
_DAYS = frozenset(["dateOpened"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """The fields of a form, by the names that the API's input has for them.

    Args:
        values: what stands in them.
        was: what stood in them when the form was opened.
        problems: `userErrors` of the mutation.
    """

    values: Mapping[str, str]
    was: Mapping[str, str]
    problems: Sequence[Mapping[str, Any]] = ()

    @property
    def changes(self) -> dict[str, str]:
        """The fields that the visitor has changed.

        What a colleague has changed since the form was opened stays as the colleague left it.
        """
        return {
            name: value for name, value in self.values.items() if value != self.was.get(name, "")
        }

    def problems_of(self, name: str) -> list[Mapping[str, Any]]:
        """Return what is wrong with a field."""
        return [each for each in self.problems if _field_of(each) == name]

    @property
    def other_problems(self) -> list[Mapping[str, Any]]:
        """What is wrong, but with no field of the form."""
        return [each for each in self.problems if _field_of(each) not in self.values]

    @property
    def first_problem(self) -> str | None:
        """The first field that something is wrong with."""
        return next((name for name in self.values if self.problems_of(name)), None)


def open_form(fields: Iterable[str], stored: Mapping[str, Any]) -> FilledForm:
    """Fill in what is stored."""
    values = {name: str(stored.get(name) or "") for name in fields}
    return FilledForm(values=values, was=values)


def read_filled_form(form: Form, fields: Iterable[str]) -> FilledForm:
    """Read what was sent; a field that the form did not have is none."""
    sent = [name for name in fields if name in form]
    return FilledForm(
        values={name: form.first(name) for name in sent},
        was={name: form.first(_WAS + name) for name in sent},
    )


def unreadable_days(form: FilledForm) -> list[dict[str, Any]]:
    """Return problems of days that the API can't read, as the API would write them.

    Browsers send days as it wants them, unless they take the field for one of text.
    """
    error = {"code": "INVALID_DATE", "message": "Write the day as 2026-05-31."}
    return [
        {**error, "message": translator().error(error), "field": [name]}
        for name, text in form.values.items()
        if name in _DAYS and text and not _is_day(text)
    ]


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _field_of(problem: Mapping[str, Any]) -> str | None:
    path = problem["field"]
    return str(path[-1]) if path else None
