"""What the guide says of rows of several changes, and of exceptions, is so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from importers import (
    Assign,
    CaseRef,
    Change,
    Importer,
    Modify,
    Remove,
    RoleRef,
    Row,
    RowError,
    Unchanged,
    UserRef,
)
from importers.testing import run_importer

HEADER = "source,target,person,role\n"


class Several(Importer):
    """Ask for what the test says."""

    label = "Several"
    source = CaseRef(required=True, example="trv-001", help="A case.")
    target = CaseRef(required=True, example="trv-002", help="A case.")
    person = UserRef(required=True, example="jones-001", help="A user.")
    role = RoleRef(required=True, example="staff", help="A role.")

    @staticmethod
    def answer(row: Row) -> Iterable[Change | Unchanged]:
        raise NotImplementedError

    def change(self, row: Row) -> Iterable[Change | Unchanged]:
        """Ask for it."""
        return self.answer(row)


def assign(row: Row, case: str = "target") -> Assign:
    return Assign(case=getattr(row, case), user=row.person, role=row.role)


def remove(row: Row, case: str = "source") -> Remove:
    return Remove(case=getattr(row, case), user=row.person)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(lambda row: [assign(row), assign(row)], "CREATED", id="equal"),
        pytest.param(lambda row: [remove(row), assign(row)], "UPDATED", id="different"),
        pytest.param(lambda row: [assign(row), remove(row)], "UPDATED", id="other order"),
        pytest.param(lambda row: [Unchanged("x"), assign(row)], "CREATED", id="one does nothing"),
        pytest.param(lambda row: [remove(row, "target")], "UNCHANGED", id="nothing to do"),
        pytest.param(lambda _: [], "UNCHANGED", id="nothing"),
    ],
)
def test_outcome(monkeypatch: pytest.MonkeyPatch, answer: Any, outcome: str) -> None:
    """The outcome is that of the changes that change something, or UPDATED if they differ."""
    monkeypatch.setattr(Several, "answer", staticmethod(answer))
    [report] = run_importer(Several, f"{HEADER}trv-001,trv-002,jones-001,staff\n")

    assert report["outcome"] == outcome


@pytest.mark.parametrize("order", [1, -1], ids=["remove first", "remove last"])
def test_two_changes_of_one_pair(monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    """Changes are about what was there before the row, so two of a pair contradict each other."""
    both: Any = lambda row: [remove(row, "target"), assign(row)][::order]  # noqa: E731
    monkeypatch.setattr(Several, "answer", staticmethod(both))
    [report] = run_importer(Several, f"{HEADER}trv-001,trv-002,jones-001,staff\n")

    assert [error["code"] for error in report["errors"]] == ["CONFLICTS_WITH_ROW"]


def test_all_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """If one change of a row is refused, the row fails, with the errors of all changes."""
    both: Any = lambda row: [  # noqa: E731
        assign(row, "source"), Modify(case=row.target, user=row.person, role=row.role)
    ]  # fmt: skip
    monkeypatch.setattr(Several, "answer", staticmethod(both))
    [report] = run_importer(Several, f"{HEADER}closed-001,trv-002,jones-001,staff\n")

    assert [error["code"] for error in report["errors"]] == ["CASE_CLOSED", "NOT_ASSIGNED"]


class Failing(Importer):
    """Fail where the test says."""

    label = "Failing"
    matter = CaseRef(required=True, is_key=True, example="trv-001", help="A case.")
    person = UserRef(required=True, example="jack-001", help="A user.")
    role = RoleRef(required=True, example="staff", help="A role.")

    def change(self, row: Row) -> Assign:
        """Put the user on the case."""
        return Assign(case=row.matter, user=row.person, role=row.role)


def fail(*_: Any) -> Any:
    raise ValueError("a bug")


async def fail_later(*_: Any) -> Any:
    raise RowError(None, "LATE", "is not raised, but returned.")


def return_nonsense(*_: Any) -> Any:
    return ["nonsense"]


@pytest.mark.parametrize(
    ("kind", "method", "failure", "column"),
    [
        (Failing, "change", fail, None),
        (Failing, "change", return_nonsense, None),
        (Failing, "check_chunk", fail, None),
        (Failing, "check_chunk", return_nonsense, None),
        (CaseRef, "parse", fail, "matter"),
        (CaseRef, "refusal", fail, "matter"),
        (CaseRef, "resolve", fail_later, "matter"),
    ],
)
def test_failures(
    monkeypatch: pytest.MonkeyPatch, kind: type, method: str, failure: Any, column: str | None
) -> None:
    """A bug fails the rows that it is about, and so does a `RowError` where none may be raised."""
    # The others of the process are to keep theirs.
    column_class = type("Own", (CaseRef,), {})
    owner = column_class if kind is CaseRef else Failing
    monkeypatch.setattr(owner, method, failure, raising=False)
    matter = column_class(required=True, is_key=True, example="trv-001", help="A case.")
    importer = type("Failed", (Failing,), {"__doc__": "Fail.", "matter": matter})
    reports = run_importer(
        importer,
        "matter,person,role\n"
        + "".join(f"{case},jack-001,staff\n" for case in ("trv-001", "trv-002")),
    )

    assert [_codes(report["errors"]) for report in reports] == [[("IMPORTER_ERROR", column)]] * 2


def _codes(errors: Sequence[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(error["code"], error.get("column")) for error in errors]
