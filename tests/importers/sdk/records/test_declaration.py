"""A class of records declares a table, or is refused with a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from importers import Case, Record, Role, User
from models.own_table import OwnColumn, OwnTable
from tests.importers.own_tables import Rate

CASE = Case(id=7, tag_id="trv-001")


def test_a_table() -> None:
    """Columns follow from the annotations: type, reference, whether it may be null, default."""
    assert Rate._declaration.own_table == OwnTable(
        "kit_rates",
        (
            OwnColumn("case_id", "bigint", "cases"),
            OwnColumn("code", "text"),
            OwnColumn("amount", "numeric"),
            OwnColumn("since", "date", is_optional=True),
            OwnColumn("is_net", "boolean", default=False),
            OwnColumn("payer_id", "bigint", "users", is_optional=True),
        ),
        ("case_id", "code"),
    )


def test_a_noun() -> None:
    """Messages call a record by the words of its class."""

    class HTTPDeskRent(Record, table="kit_desk_rents", key="desk"):
        desk: str

    assert HTTPDeskRent._declaration.noun == "http desk rent"


def test_classes_in_functions() -> None:
    """Annotations may be of names that only the class statement sees."""
    Days = date  # noqa: N806

    class Leave(Record, table="kit_leaves", key=("who", "since"), keep_days="imports"):
        who: User
        since: Days

    assert [each.column for each in Leave._declaration.key] == ["who_id", "since"]
    assert Leave._declaration.own_table.keep_days == "imports"


def declare(name: Any = "kit_things", key: Any = "a", keep: Any = None, **hints: Any) -> type:
    """Declare a table with fields; of a tuple, the second is a default."""
    fields: dict[str, Any] = {"__annotations__": {}}
    for field, hint in (hints or {"a": str}).items():
        kind, *default = hint if isinstance(hint, tuple) else (hint,)
        fields["__annotations__"][field] = kind
        if default:
            fields[field] = default[0]
    return type(Record)("Thing", (Record,), fields, table=name, key=key, keep_days=keep)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: declare("things"), "Thing: a table can't be called 'things': use small letters"),
        (lambda: declare("Kit_things"), "can't be called 'Kit_things'"),
        (lambda: declare('kit_"; DROP TABLE x'), "can't be called"),
        (lambda: declare("kit_" + "x" * 60), "can't be called"),
        (lambda: declare(7), "can't be called 7"),
        (lambda: declare(keep=0), "keep_days is a number of days, or 'imports', not 0"),
        (lambda: declare(keep=True), "keep_days is a number of days, or 'imports', not True"),
        (lambda: declare(key=()), "its key names the fields that tell its records apart"),
        (lambda: declare(key=("a", "a")), "each once"),
        (lambda: declare(key="b"), "its key needs the field 'b', which can't be None"),
        (lambda: declare(a=str | None), "its key needs the field 'a', which can't be None"),
        (lambda: declare(a=str, b=float), "Thing.b: a field is one of str, int, Decimal, date,"),
        (lambda: declare(a=str, b=Role), "Thing.b: a field is one of"),
        (lambda: declare(a=str, b=str | int), "Thing.b: a field is one of"),
        (lambda: declare(a=str, b=list[str]), "Thing.b: a field is one of"),
        (lambda: declare(a=str, app_id=int), "a field can't be called 'app_id'"),
        (lambda: declare(a=str, inverse=int), "a field can't be called 'inverse'"),
        (lambda: declare(a=str, Big=int), "a field can't be called 'Big'"),
        (lambda: declare(a=str, _b=int), "a field can't be called '_b'"),
        (lambda: declare(a=str, case=Case, case_id=int), "two fields have the column 'case_id'"),
        (lambda: declare(a=str, case=(Case, CASE)), "Thing.case: a Case can't be a default"),
        (lambda: declare(a=str, b=(int, "x")), "b has to be int, not 'x'"),
    ],
)
def test_refused(make: Callable[[], type], message: str) -> None:
    """What no table can be made of is refused where the class is defined."""
    with pytest.raises(TypeError, match=message.replace("(", r"\(")):
        make()


def test_what_only_type_checkers_see() -> None:
    """A name that is imported for type checkers alone is refused, with what to do."""
    with pytest.raises(TypeError, match="name 'Gone' is not defined: import it where the class"):

        class Lost(Record, table="kit_lost", key="a"):
            a: Gone  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"code": 1}, "code has to be str, not 1"),
        ({"amount": 1.5}, "amount has to be Decimal, not 1.5"),
        ({"amount": None}, "amount has to be Decimal, not None"),
        ({"amount": Decimal("NaN")}, "amount has to be a number, not NaN"),
        ({"case": 7}, "case has to be Case, not 7"),
        ({"since": datetime(2026, 1, 1)}, "since has to be date"),  # noqa: DTZ001
        ({"is_net": 1}, "is_net has to be bool, not 1"),
    ],
)
def test_wrong_values(values: dict[str, Any], message: str) -> None:
    """A record can't have values that its columns can't have."""
    with pytest.raises((TypeError, ValueError), match=message):
        Rate(**{"case": CASE, "code": "A", "amount": Decimal(1), **values})


def test_large_numbers() -> None:
    """Whole numbers fit into 64 bits, and a truth value is none."""

    class Count(Record, table="kit_counts", key="number"):
        number: int

    with pytest.raises(ValueError, match="number has to fit into 64 bits"):
        Count(number=1 << 63)
    with pytest.raises(TypeError, match="number has to be int, not True"):
        Count(number=True)
