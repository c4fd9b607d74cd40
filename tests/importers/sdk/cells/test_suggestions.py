"""A suggestion is what was meant, or there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from importers import Case, User
from importers.sdk.cells.suggestions import Advice, Noun, advise, bare_tag, without_ends
from importers.sdk.errors import fill
from importers.sdk.node_id import encode_node_id
from tests.importers.fakes import JACK, JONES, OPEN, FakeDirectory

ANN = User(id=31, tag_id="ann-007", email="ann@example.org")
OTHER_ANN = User(id=32, tag_id="ann-008", email="ann.jones@example.org")
UNTAGGED_USER = User(id=33, email="new@example.org")


def advice_on(
    key: str, noun: Noun = "case", tags: Sequence[str] = (), users: Sequence[User] = ()
) -> Advice:
    known = [Case(id=number, tag_id=tag) for number, tag in enumerate(tags, 100)]
    directory = FakeDirectory(
        known_cases=known or [OPEN],
        known_users=users or [JACK, JONES],
        names={"ann jones": [ANN], "sam jack": [ANN, OTHER_ANN]},
    )
    return asyncio.run(advise(directory, noun, [key])).get(key, Advice())


def told(key: str, noun: Noun = "case", **known: Sequence[Any]) -> tuple[str, str | None]:
    """The end of the message, and the suggestion."""
    advice = advice_on(key, noun, **known)
    return fill(advice.hint, {"noun": noun, **advice.params}, advice.suggestion), advice.suggestion


@pytest.mark.parametrize(
    "key",
    [
        '="trv-001"',
        "'trv-001",
        "\u201ctrv-001\u201d",
        "(trv-001)",
        "[trv-001],",
        "trv-001\u200b",
        "\u2060trv-001",
        "trv\u2013001",
        "trv\u2011001",
        "trv-\uff10\uff10\uff11",
        "trv-\u0660\u0660\u0661",
        "t\u00adrv\u00ad-001",
        "trv\u00ad001",
        "trv-001.",
        "trv-001 (Smith v. Harbor)",
    ],
)
def test_what_is_around_an_id(key: str) -> None:
    """What no Tag ID has at its ends, other hyphens and wide digits hide no ID."""
    assert advice_on(key).suggestion == "trv-001"


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        pytest.param("TRV-001", "trv-001", id="capitals"),
        pytest.param("trv-00l", "trv-001", id="l for 1"),
        pytest.param("trv-OO1", "trv-001", id="O for 0"),
        pytest.param("trv-0OI", "trv-001", id="O and I"),
        pytest.param("inv-l0", "inv-I0", id="l for I"),
        pytest.param("trv-1", "trv-001", id="zeros left out"),
        pytest.param("trv-00001", "trv-001", id="more zeros"),
        pytest.param("trv_001", "trv-001", id="another separator"),
        pytest.param("trv -001", "trv-001", id="a blank inside"),
        pytest.param("\u0442rv-001", "trv-001", id="a Cyrillic letter"),
        pytest.param("jnes-001", "jones-001", id="a letter too few"),
        pytest.param("joones-001", "jones-001", id="a letter too many"),
        pytest.param("jnoes-001", "jones-001", id="two letters exchanged"),
        pytest.param("jomes-001", "jones-001", id="another letter"),
    ],
)
def test_did_you_mean(key: str, tag: str) -> None:
    """A slip of one kind is seen through, if one Tag ID alone can be meant."""
    assert told(key, tags=[tag, "other-900"]) == (f"; did you mean '{tag}'?", tag)


@pytest.mark.parametrize(
    ("key", "tags"),
    [
        pytest.param("trv-305", ["trv-304", "trv-306"], id="another number"),
        pytest.param("trv-3055", ["trv-305"], id="a digit too many"),
        pytest.param("trv-11-1", ["trv-1-11"], id="the same digits, otherwise parted"),
        pytest.param("trv-9", ["abc-9"], id="another word"),
        pytest.param("ab-1", ["ac-1"], id="too short to tell"),
        pytest.param("", ["trv-001"], id="nothing"),
        pytest.param("\u200b", ["trv-001"], id="nothing visible"),
        pytest.param("q" * 300, ["trv-001"], id="long nonsense"),
    ],
)
def test_none_rather_than_a_wrong_one(key: str, tags: Sequence[str]) -> None:
    """Another number is another case."""
    assert told(key, tags=tags) == (".", None)


@pytest.mark.parametrize(
    ("key", "tags", "hint"),
    [
        ("trv-1", ["trv-001", "trv-01"], "; did you mean 'trv-001' or 'trv-01'?"),
        ("jnes-01", ["janes-01", "jones-01"], "; did you mean 'janes-01' or 'jones-01'?"),
    ],
)
def test_of_several_none(key: str, tags: Sequence[str], hint: str) -> None:
    """If several can be meant they are named, and none is suggested."""
    assert told(key, tags=tags) == (hint, None)


@pytest.mark.parametrize(
    ("key", "users", "expected"),
    [
        pytest.param(
            "jack@example.org",
            (),
            ("; that is the address of jack-001.", "jack-001"),
            id="an address",
        ),
        pytest.param(
            "Jones <JONES@example.org>",
            (),
            ("; that is the address of jones-001.", "jones-001"),
            id="an address from a mail program",
        ),
        pytest.param(
            "new@example.org",
            (UNTAGGED_USER,),
            (
                f"; that is the address of {encode_node_id('User', 33)}.",
                encode_node_id("User", 33),
            ),
            id="of a user without a Tag ID",
        ),
        pytest.param("no@example.org", (), (".", None), id="an address that no user has"),
        pytest.param(
            "Ann Jones", (), ("; that is the name of ann-007.", "ann-007"), id="a full name"
        ),
        pytest.param(
            "JONES, Ann", (), ("; that is the name of ann-007.", "ann-007"), id="family name first"
        ),
        pytest.param(
            "Sam Jack",
            (),
            ("; that is the name of several users: write the Tag ID of the right one.", None),
            id="a name of two",
        ),
        pytest.param("trv-001", (), ("; that is the ID of a case.", None), id="a case"),
        pytest.param(
            encode_node_id("Case", OPEN.id), (), ("; that is the ID of a case.", None), id="its ID"
        ),
        pytest.param(
            "jack-001; jones-001",
            (),
            ("; the cell names several users: write one user a row.", None),
            id="two users",
        ),
        pytest.param(
            "jack-001 and jones-001",
            (),
            ("; the cell names several users: write one user a row.", None),
            id="two users in words",
        ),
        pytest.param("jack-001; jones-009", (), (".", None), id="two, of which one is unknown"),
        pytest.param(
            "jones-001 (now jack-001)",
            (),
            ("; the cell names several users: write one user a row.", None),
            id="another one in a remark",
        ),
        pytest.param(
            "jack-001 (Ann Jones, on leave)",
            (),
            ("; did you mean 'jack-001'?", "jack-001"),
            id="a remark",
        ),
    ],
)
def test_who_is_meant(key: str, users: Sequence[User], expected: tuple[str, str | None]) -> None:
    """A user is known by address and by name; a case is no user."""
    assert told(key, "user", users=users) == expected


def test_a_user_is_no_case() -> None:
    """A user's Tag ID in the column of cases is told apart from an unknown one."""
    assert told("jack-001") == ("; that is the ID of a user.", None)


def test_every_address_gets_its_advice() -> None:
    """Addresses are looked up at once, however many there are."""
    directory = FakeDirectory()
    keys = sorted([f"nobody{number}@example.org" for number in range(500)] + ["jones@example.org"])
    advice = asyncio.run(advise(directory, "user", keys))

    assert list(advice) == ["jones@example.org"]
    assert [question for question, _ in directory.asked].count("users_by_email") == 1


def test_without_ends() -> None:
    """Text that is an ID stays as it is."""
    assert [without_ends(text) for text in ("a-1/b_2", "-a-", "_")] == ["a-1/b_2", "-a-", "_"]


def test_bare_tag() -> None:
    """Numbers keep their borders."""
    assert bare_tag("TRV-01.1") == bare_tag("trv1-001") != bare_tag("trv-011")


def test_however_many_keys_are_unknown_remarks_are_read() -> None:
    """A remark that names another user leaves it open who is meant, in the last row as well."""
    keys = [f"a-{number:03}" for number in range(200)]
    keys += ["jack-001 (ill)", "jones-001 (or jack-001)"]
    advice = asyncio.run(advise(FakeDirectory(), "user", keys))

    assert {key: each.suggestion for key, each in advice.items()} == {
        "jack-001 (ill)": "jack-001",
        "jones-001 (or jack-001)": None,
    }


def test_an_id_with_a_slash_is_one() -> None:
    """Its parts may be IDs themselves."""
    tags = ["2026/7", "2026", "7"]

    assert told("'2026/7'", tags=tags) == ("; did you mean '2026/7'?", "2026/7")
    assert told("2026/7 (2026)", tags=tags) == ("; did you mean '2026/7'?", "2026/7")
