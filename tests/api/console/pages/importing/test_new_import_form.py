"""The form of a new import: its types, the mutation's input, and where errors stand."""

from __future__ import annotations

from typing import Any, cast

from api.console.form import Form
from api.console.pages.importing.new_import_form import (
    empty_form,
    idempotency_key,
    import_input,
    import_types,
    posted_mapping,
    problems_by_field,
    with_new_key,
)
from api.schema.uploads.upload import Source, UploadedFile

FILE = UploadedFile("May.csv", cast("Source", None))
FILLED: dict[str, list[str]] = {
    "key": ["k"],
    "type": ["assign"],
    "name": [" May "],
    "mark": ["May.csv 76 1795991065774"],
    "encoding": [""],
    "date_order": [""],
    "notify": [""],
    "then": ["rehearse"],
}


def column(name: str, example: str | None) -> dict[str, Any]:
    """A column as the API describes it."""
    return {"name": name, "example": example}


def shown(state: str, *columns: dict[str, Any]) -> dict[str, Any]:
    """A type as the API describes it."""
    sample = {"filename": "t_sample.csv"}
    return {
        "key": "t",
        "label": "T",
        "description": "",
        "state": state,
        "columns": list(columns),
        "sampleTemplate": sample,
    }


def test_types() -> None:
    """Only types that can be imported are offered; the order of dates matters to one with dates."""
    found = import_types(
        [
            shown("ON", column("tag_id", "trv-901"), column("about", None)),
            shown("OFF"),
            shown("BROKEN"),
            shown("ON", column("date_opened", "01/31/2026")),
        ]
    )

    assert [type_.has_dates for type_ in found] == [False, True]


def test_input_of_a_rehearsal() -> None:
    """What was left blank is not said."""
    values = import_input(Form(FILLED), FILE)
    values.pop("idempotencyKey")

    assert values == {
        "name": "May",
        "type": "assign",
        "file": FILE,
        "source": "console",
        "dryRun": True,
        "atomic": False,
        "encoding": None,
        "dateOrder": None,
        "notify": [],
    }


def test_input_of_a_run() -> None:
    """All options reach the mutation."""
    options = {
        "then": ["run"],
        "atomic": ["yes"],
        "encoding": ["windows-1252"],
        "date_order": ["DMY"],
        "notify": ["a@example.org, b@example.org;c@example.org d@example.org,"],
    }
    values = import_input(Form(FILLED | options), FILE)

    assert (values["dryRun"], values["atomic"]) == (False, True)
    assert (values["encoding"], values["dateOrder"]) == ("windows-1252", "DMY")
    assert values["notify"] == [f"{name}@example.org" for name in "abcd"]


def test_mapping() -> None:
    """A name in the header is a column, or left out; what has no choice is not said."""
    form = Form(
        FILLED
        | {"header-1": ["E-Mail"], "use-1": ["username"]}
        | {"header-2": ["Notes"], "use-2": ["-"]}
        | {"header-3": ["What"], "use-3": [""]}
    )
    values = import_input(form, FILE)

    assert posted_mapping(form) == {"E-Mail": "username", "Notes": "-"}
    assert values["columns"] == [{"header": "E-Mail", "column": "username"}]
    assert values["ignoreColumns"] == ["Notes"]


def test_keys() -> None:
    """The same form has the same key, with a yes to the same file too; any other has another."""
    key = idempotency_key(Form(FILLED))
    others = [
        Form(FILLED | {"then": ["run"]}),
        Form(FILLED | {"mark": ["May.csv 77 1795991065774"]}),
        Form(FILLED | {"key": ["l"]}),
    ]

    assert idempotency_key(Form(FILLED | {"again": ["yes"]})) == key
    assert len({key, *map(idempotency_key, others)}) == 4


def test_keys_of_forms() -> None:
    """Each form has a key of its own, until an import has it."""
    form = empty_form("assign")
    reused = [{"code": "IDEMPOTENCY_KEY_REUSED"}]

    assert form.first("key") != empty_form("assign").first("key")
    assert with_new_key(form, [{"code": "NAME_TAKEN"}]) == form
    assert with_new_key(form, reused).first("key") not in ("", form.first("key"))
    assert with_new_key(Form(), []).first("key")


def test_problems() -> None:
    """Each error stands at the field that can be changed; of others, at the top."""
    errors = [
        {"field": ["input", "name"]},
        {"field": ["input", "ignoreColumns"]},
        {"field": ["input", "file"]},
        {"field": ["input", "idempotencyKey"]},
        {"field": None},
    ]

    assert problems_by_field(errors) == {
        "name": [errors[0]],
        "file": [errors[1], errors[2]],
        "form": [errors[3], errors[4]],
    }
