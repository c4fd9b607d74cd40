"""Columns take their choices from settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from importers import CaseRef, Choice, Choices, Currency, Importer, ModifyCase, RoleRef, setting
from importers.plugins.sample_file import sample_csv
from importers.sdk.errors import ConfigError
from importers.testing import check_conformance, run_importer


class Titled(Importer):
    """Say of cases what an operator lists."""

    label = "Titled"

    @dataclass
    class Settings:
        titles: Any
        languages: Any = ("en", "de")
        seats: Any = None
        currencies: Any = ("EUR",)

        def __post_init__(self) -> None:
            self.seats = {"lead": "staff"} if self.seats is None else self.seats

    case_id = CaseRef(required=True, help="The case.", example="trv-001")
    title = Choice(choices=setting("titles"), help="A title.", example="Mr.", is_key=True)
    spoken = Choices(choices=setting("languages"), help="Languages.")
    seat = RoleRef(choices=setting("seats"), help="A seat.", example="guest")
    paid_in = Currency(choices=setting("currencies"), help="A currency.", default="EUR")

    def change(self, row: Any) -> ModifyCase:
        return ModifyCase(case=row.case_id, about=f"{row.title} {row.spoken} {row.paid_in}")


def titled(**settings: Any) -> Titled:
    return Titled("titled", Titled.Settings(**{"titles": ["Dr.", "Prof."], **settings}))


def test_choices_of_a_setting() -> None:
    """Cells hold the setting's words; those of two instances are their own."""
    first, second = titled(), titled(titles=["Sir"], seats={"chair": "clients"})

    assert first.columns["title"].choices_for([]) == ("Dr.", "Prof.")
    assert second.columns["title"].choices_for([]) == ("Sir",)
    assert first.columns["spoken"].read("de;en") == ("en", "de")
    assert second.columns["seat"].read("chair") == "clients"
    assert second.columns["seat"].choices_for([]) == ["chair"]
    assert first.columns["paid_in"].read("\u20ac") == "EUR"
    assert Titled.columns["title"].choices_for([]) is None


def test_errors_name_the_settings_words() -> None:
    """An error lists what the operator allows, or suggests it; the test's settings count."""
    (report,) = run_importer(titled(), "case_id,title,spoken\ntrv-001,Prof,xx\n")

    assert [(each["message"], each.get("suggestion")) for each in report["errors"]] == [
        ("Title: there is no 'Prof'; did you mean 'Prof.'?", "Prof."),
        ("Spoken: there is no 'xx'; use any of en, de.", None),
    ]


def test_the_sample_has_the_settings_words() -> None:
    """Where the example is not among the words, the first of them takes its place."""
    sample = sample_csv(titled(languages=["fr", "es"]))

    assert sample == "case_id,title,spoken,seat,paid_in\r\ntrv-001,Dr.,fr,lead,EUR\r\n"
    assert [each["outcome"] for each in run_importer(titled(), sample) if "outcome" in each] == []
    assert [each.get("errors") for each in run_importer(titled(), sample_csv(titled()))] == [None]


def test_conformance() -> None:
    """The kit tries the setting's words."""
    check_conformance(titled(), rows=200)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"titles": []}, "its column 'title' takes its choices from the setting 'titles': the list"
         " of choices is empty: name one at least"),
        ({"titles": "Dr."}, "its column 'title' takes its choices from the setting 'titles': it"
         " must be a list of texts, not 'Dr.'"),
        ({"titles": ["Dr.", 7]}, "it must be a list of texts, not ['Dr.', 7]"),
        ({"titles": ["Dr. "]}, "the choice 'Dr. ' is no text that a cell can hold"),
        ({"titles": ["Dr.", "Dr."]}, "the choice 'Dr.' is there twice"),
        ({"languages": ["a;", "b,", "c|"]}, "its column 'spoken' takes its choices from the setting"
         " 'languages': the choices have ';', ',' and '|' within them"),
        ({"seats": ["lead"]}, "its column 'seat' takes its choices from the setting 'seats': it"
         " must be a table of texts, not ['lead']"),
        ({"seats": {}}, "the list of choices is empty"),
        ({"currencies": ["EURO"]}, "the choice 'EURO' is no code of ISO 4217"),
    ],
)  # fmt: skip
def test_settings_that_cant_be_used(settings: dict[str, Any], problem: str) -> None:
    """A plugin whose setting no column can choose from is broken, with a sentence."""
    with pytest.raises(ConfigError, match=re.escape(problem)):
        titled(**settings)


def test_all_problems_at_once() -> None:
    """Each column that can't be completed is named."""
    with pytest.raises(ConfigError) as caught:
        titled(titles=[], seats=[])

    assert [problem.split()[2] for problem in caught.value.problems] == ["'title'", "'seat'"]


@pytest.mark.parametrize("has_settings", [True, False])
def test_a_setting_that_is_not_there(has_settings: bool) -> None:
    """A column that takes a setting that its plugin does not declare is broken."""

    class Lost(Importer):
        @dataclass
        class Declared:
            name: str = ""

        Settings = Declared if has_settings else None
        title = Choice(choices=setting("titles"))

    with pytest.raises(
        ConfigError,
        match="its column 'title' takes its choices from the setting 'titles', which its Settings"
        " do not have",
    ):
        Lost("lost")


def test_without_settings() -> None:
    """Without the settings that it needs, an instance has the columns of its class."""
    assert Titled("titled").columns == Titled.columns


def test_words_and_a_setting() -> None:
    """A column has one list."""
    with pytest.raises(TypeError, match="not both"):
        Choice("a", choices=setting("titles"))
    with pytest.raises(TypeError, match="not both"):
        Choice(choices=["a"])  # type: ignore[arg-type]
