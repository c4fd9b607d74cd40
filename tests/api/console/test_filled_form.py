"""Forms: what was changed in them, and what is wrong with which field."""

from __future__ import annotations

from api.console.filled_form import (
    FilledForm,
    open_form,
    read_filled_form,
    unreadable_days,
)
from api.console.form import Form

FIELDS = ("about", "tagId", "dateOpened")


def test_changes() -> None:
    """Only what differs from what the form was opened with is sent: also a field made blank."""
    form = read_filled_form(
        Form(
            {
                "about": ["New"],
                "was-about": ["Old"],
                "dateOpened": [""],
                "was-dateOpened": ["2026-01-02"],
                "tagId": ["x"],
                "was-tagId": ["x"],
                "other": ["y"],
            }
        ),
        FIELDS,
    )

    assert form.changes == {"about": "New", "dateOpened": ""}


def test_open_form() -> None:
    """A new form has what is stored, and nothing in it is a change."""
    form = open_form(FIELDS, {"about": "A", "tagId": None, "status": "ACTIVE"})

    assert form.values == {"about": "A", "tagId": "", "dateOpened": ""}
    assert form.changes == {}


def test_problems() -> None:
    """Problems stand at their fields; those of no field of the form stand above it."""
    at_tag = {"code": "TAG_TAKEN", "message": "Taken.", "field": ["input", "tagId"]}
    of_none = {"code": "NOT_FOUND", "message": "Gone.", "field": ["id"]}
    without = {"code": "X", "message": "X.", "field": None}
    values = {"about": "A", "tagId": "x"}
    form = FilledForm(values=values, was=values, problems=[of_none, at_tag, without])

    assert (form.problems_of("tagId"), form.problems_of("about")) == ([at_tag], [])
    assert form.other_problems == [of_none, without]
    assert form.first_problem == "tagId"


def test_days() -> None:
    """A day that the API can't read is a problem of its field; blank is none."""
    texts = ("", "2026-05-31", "31/05/2026", "2026-02-30", "20260531")
    forms = [FilledForm(values={"dateOpened": text, "about": text}, was={}) for text in texts]

    assert [[each["field"] for each in unreadable_days(form)] for form in forms] == [
        [],
        [],
        [["dateOpened"]],
        [["dateOpened"]],
        [["dateOpened"]],
    ]
