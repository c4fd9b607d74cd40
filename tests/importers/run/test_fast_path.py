"""Chunks that are taken column by column come to what row by row would."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from importers import CaseRef, EveryRow, Flag, Importer, RoleRef, Row, UserRef
from importers.builtin.assign import AssignUsers
from importers.builtin.modify import ModifyAssignments
from importers.builtin.remove import RemoveUsers
from importers.run.fast_path import Columnar
from importers.sdk.changes import Assign, Remove
from importers.sdk.row import row_type
from importers.testing import run_importer
from importers.undo.undo_import import UndoImport
from tests.importers.engine_fixture import HEADERS, EngineFixture, Result
from tests.importers.fakes import ASSIGN, JACK, MODIFY, OPEN, REMOVE, read


class AssignSlowly(AssignUsers):
    """The same, row by row."""

    def change(self, row: Row) -> Any:
        """Do what `every_row` says."""
        return super().change(row)


class ModifySlowly(ModifyAssignments):
    """The same, row by row."""

    def change(self, row: Row) -> Any:
        """Do what `every_row` says."""
        return super().change(row)


class RemoveSlowly(RemoveUsers):
    """The same, row by row."""

    def change(self, row: Row) -> Any:
        """Do what `every_row` says."""
        return super().change(row)


class RemoveCarefully(RemoveUsers):
    """Refuses users who are disabled."""

    user_id = UserRef(required=True, must_be_active=True)


class RemoveCarefullyAndSlowly(RemoveCarefully):
    """The same, row by row."""

    def change(self, row: Row) -> Any:
        """Do what `every_row` says."""
        return super().change(row)


class UndoSlowly(UndoImport):
    """The same, row by row."""

    def _every_row_of(self, rows: Any) -> None:
        """Rows are looked at one by one."""


FAST_AND_SLOW: Sequence[tuple[Importer, Importer]] = [
    (AssignUsers("assign"), AssignSlowly("assign")),
    (ModifyAssignments("modify"), ModifySlowly("modify")),
    (RemoveUsers("remove"), RemoveSlowly("remove")),
    (RemoveCarefully("remove"), RemoveCarefullyAndSlowly("remove")),
    (UndoImport("undo"), UndoSlowly("undo")),
]
CELLS: Mapping[str, list[str]] = {
    "case_id": ["trv-001", "trv-001", "trv-002", "trv-003", "trv-004", "trv-04", ""],
    "user_id": ["jack-001", "jones-001", "jill-001", "gone-001", "nobody"],
    "case_role_order": ["", "", "", "", "1"],
    "case_role_id": ["staff", "clients", "role::staff", "default", "", "boss"],
    "case_notify": ["0", "1", "yes", "", "maybe"],
    "what": ["assignment"],
    "present_role_id": ["staff", "clients", ""],
    "present_notify": ["0", "1"],
}


def some_rows(names: Sequence[str], rng: random.Random) -> list[str]:
    """Make up rows, in some files such that no two of them are about the same."""
    rows = [",".join(rng.choice(CELLS.get(name, [""])) for name in names) for _ in range(30)]
    if "what" in names:  # an undo names the case and the user of each row
        rows = [row for row in rows if all(row.split(",")[1:3])]
    if rng.random() < 0.7:
        at = names.index("case_id"), names.index("user_id")
        rows = list({tuple(row.split(",")[i] for i in at): row for row in rows}.values())
    return rows + (["trv-001,jack-001"] if rng.random() < 0.3 else [])


@pytest.mark.parametrize("is_dry_run", [False, True])
@pytest.mark.parametrize(("fast", "slow"), FAST_AND_SLOW)
async def test_the_same_as_row_by_row(
    world: EngineFixture,
    fast: Importer,
    slow: Importer,
    is_dry_run: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Results, assignments, history and mails are the same, whatever is in the file."""
    taken: list[bool] = []
    of = Columnar.of

    def watched(*arguments: Any) -> Any:
        found = of(*arguments)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(Columnar, "of", watched)
    type_ = fast.key
    header = HEADERS.get(type_) or ",".join(fast.columns)
    engines = [world.with_engine(**{type_: each}) for each in (fast, slow)]
    for seed in range(12):
        rng = random.Random(seed)
        rows = some_rows(header.split(","), rng)
        found = []
        for each in engines:
            await world.execute("TRUNCATE assignments")
            await world.put(
                ("trv-001", "jack-001", "staff", 0),
                ("trv-002", "jill-001", "staff", 1),
                ("trv-003", "jones-001", "clients", 0),
                ("trv-003", "gone-001", "clients", 1),
            )
            import_id = await each.run(type_, *rows, header=header, is_dry_run=is_dry_run)
            found.append(
                (
                    await each.errors(import_id),
                    await each.results(import_id),
                    await each.assignments(),
                    sorted(await each.history(import_id)),
                    await each.mails(import_id),
                    await each.counts(import_id),
                )
            )
        assert found[0] == found[1]

    assert set(taken) == {True, False}


@pytest.mark.parametrize(
    ("importer", "text"),
    [
        (ASSIGN, "trv-001,jack-001,,staff,0"),
        (MODIFY, "trv-001,jack-001,,,"),
        (REMOVE, "jack-001,trv-001"),
    ],
)
def test_the_built_ins_are_taken_at_once(importer: Importer, text: str) -> None:
    """The three importers of assignments are taken column by column."""
    names = list(importer.columns)
    rows = read(importer, text, names=names)

    assert Columnar.of(importer, rows)


def test_repeats_are_not() -> None:
    """Rows about the same pair, and rows that are there only to compare with, need more care."""
    rows = read(ASSIGN, *["trv-001,jack-001,,staff,0"] * 2)
    other = read(ASSIGN, "trv-001,jack-001,,staff,0")
    other[0].is_context = True

    assert Columnar.of(ASSIGN, rows) is None
    assert Columnar.of(ASSIGN, other) is None


class Plain(Importer):
    """An importer that says what every row asks for."""

    label = "Plain"
    case = CaseRef(required=True)
    user = UserRef(required=True)
    role = RoleRef(required=True)
    mail = Flag(default=False)
    every_row = EveryRow(Assign, case="case", user="user", role="role", notify="mail")


class OwnCase(CaseRef):
    """A look-up of an importer's own."""


class Mapped(Plain):
    """Looks cases up in its own way."""

    case = OwnCase(required=True)


class MayBeBlank(Plain):
    """Has rows without a role."""

    role = RoleRef()


class Picky(Plain):
    """Looks at its rows."""

    def change(self, row: Row) -> Any:
        """Do what `every_row` says."""
        return super().change(row)


class Checked(Plain):
    """Looks at its chunks."""

    def check_chunk(self, rows: Any, memo: Any) -> Any:
        """Find nothing."""
        return []


class Bare(Plain):
    """Does not say whom to tell."""

    every_row = EveryRow(Assign, case="case", user="user", role="role")


@pytest.mark.parametrize(
    ("kind", "is_plain"),
    [(Plain, True), (Mapped, False), (Picky, False), (Checked, False), (Bare, False)],
)
def test_what_is_not_plain_is_left_alone(kind: type[Importer], is_plain: bool) -> None:
    """Whatever could make a change that can't be carried out, or has a say, goes row by row."""
    importer = kind("plain")
    rows = read(importer, "trv-001,jack-001,staff,0")

    assert (Columnar.of(importer, rows) is not None) == is_plain


async def test_a_row_without_what_a_change_needs(world: EngineFixture) -> None:
    """A row whose cell may be blank, and is, goes row by row: it fails, and the others pass."""
    blank = world.with_engine(blank=MayBeBlank("blank"))
    rows = ["trv-001,jack-001,staff", "trv-003,jack-001,"]
    import_id = await blank.run("blank", *rows, header="case,user,role")

    assert await blank.results(import_id) == {
        2: Result("CREATED"),
        3: Result("FAILED", codes=("IMPORTER_ERROR",)),
    }


@pytest.mark.parametrize("column", ["case", "user"])
def test_a_row_without_a_case_or_a_user(column: str) -> None:
    """It is about no pair, so its chunk goes row by row."""
    importer = type("Blank", (Plain,), {column: (CaseRef if column == "case" else UserRef)()})()
    cells = {"case": "trv-001", "user": "jack-001", column: ""}
    rows = read(importer, f"{cells['case']},{cells['user']},staff,0")

    assert Columnar.of(importer, rows) is None


def test_third_parties_may_say_so_too() -> None:
    """`every_row` stands for `change`, wherever an importer is run."""
    (report,) = run_importer(Plain, "case,user,role\ntrv-002,jack-001,staff\n")

    assert report["outcome"] == "CREATED"


def test_the_change_of_a_row() -> None:
    """It makes the change of the fields' columns."""
    row = row_type(["a", "b"])(2, OPEN, JACK)

    assert EveryRow(Remove, case="a", user="b").change(row) == Remove(case=OPEN, user=JACK)


@pytest.mark.parametrize("sample", [1, 50])
async def test_a_sample_that_misleads(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, sample: int
) -> None:
    """Pairs that seem to be new, by a few of them, are looked up once writing says otherwise."""
    monkeypatch.setattr("importers.run.fast_path._SAMPLE", sample)
    await world.put(("trv-004", "jill-001", "staff", 0), ("trv-004", "jones-001", "clients", 0))
    rows = [
        "trv-001,jack-001,,staff,0",
        "trv-004,jill-001,,staff,0",
        "trv-003,jack-001,,staff,1",
        "trv-004,jones-001,,staff,0",
    ]
    import_id = await world.run("assign", *rows)

    assert await world.results(import_id) == {
        2: Result("CREATED"),
        3: Result("UNCHANGED"),
        4: Result("CREATED"),
        5: Result("FAILED", codes=("ALREADY_ASSIGNED",)),
    }
    assert await world.mails(import_id) == [(4, "SENT")]


@pytest.mark.parametrize("is_dry_run", [True, False])
async def test_a_refusal_that_a_guess_would_make(
    world: EngineFixture, monkeypatch: pytest.MonkeyPatch, is_dry_run: bool
) -> None:
    """A pair that is in effect on a case closed since is found, though others seem to be new."""
    monkeypatch.setattr("importers.run.fast_path._SAMPLE", 1)
    await world.put(("trv-002", "jill-001", "staff", 0))
    plain = world.with_engine(plain=Plain("plain"))
    rows = ["trv-001,jack-001,staff", "trv-002,jill-001,staff"]
    import_id = await plain.run("plain", *rows, header="case,user,role", is_dry_run=is_dry_run)

    assert await plain.results(import_id) == {2: Result("CREATED"), 3: Result("UNCHANGED")}
