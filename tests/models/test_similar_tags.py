"""Near misses and searches find what a person meant, through indexes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers.sdk.cells.suggestions import bare_tag
from models.case import find_cases
from models.database_url import credentials
from models.listing import prefix_query
from models.similar_tags import _SIMILAR_TAGS, find_similar_tags
from models.user import find_users, find_users_by_email, find_users_by_name


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    """A database with one app, 2,000 cases and a few users."""
    connection = await asyncpg.connect(**credentials(database_url))
    await connection.execute(
        """
        INSERT INTO apps (id, slug, name) VALUES (1, 'one', 'One'), (2, 'two', 'Two');
        INSERT INTO cases (app_id, tag_id)
          SELECT 1, 'trv-' || to_char(n, 'FM0000') FROM generate_series(1, 2000) AS n;
        INSERT INTO cases (app_id, tag_id) VALUES (2, 'trv-9999'), (1, NULL);
        INSERT INTO users (app_id, tag_id, email) VALUES
          (1, 'jones-001', 'Jones@Example.org'), (1, 'jack-001', 'jack@example.org'),
          (1, NULL, 'nobody@example.org'), (1, 'elise-001', U&'\\00C9lise@example.org'),
          (2, 'jill-001', 'jill@example.org');
        ANALYZE
        """
    )
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("table", "unknown", "expected"),
    [
        pytest.param("users", "jones-1", "jones-001", id="zeros left out"),
        pytest.param("users", "JONES_001", "jones-001", id="case and separator"),
        pytest.param("users", "jines-001", "jones-001", id="one letter"),
        pytest.param("users", "xjack-001", "jack-001", id="a letter before"),
        pytest.param("cases", "trv-42", "trv-0042", id="zeros left out of many"),
        pytest.param("cases", "TRV1234", "trv-1234", id="no separator"),
        pytest.param("cases", "trw-1999", "trv-1999", id="one letter of many"),
    ],
)
async def test_neighbours(db: Connection, table: Any, unknown: str, expected: str) -> None:
    """What a person meant is among the neighbours."""
    near = await find_similar_tags(db, 1, table, [unknown])

    assert expected in near[unknown]


async def test_neighbours_are_few_and_of_the_app(db: Connection) -> None:
    """A bounded number of Tag IDs is looked at, none of another app and none that is not set."""
    near = await find_similar_tags(db, 1, "cases", ["trv-99999", "", "zzz"], each_way=3)

    assert set(near) == {"trv-99999", "", "zzz"}
    assert all(len(tags) <= 15 for tags in near.values())
    assert not any(tag is None or tag == "trv-9999" for tags in near.values() for tag in tags)


async def test_nothing_to_suggest(db: Connection) -> None:
    """An app without cases has no neighbours."""
    assert await find_similar_tags(db, 404, "cases", ["trv-1"]) == {}
    assert await find_similar_tags(db, 1, "cases", []) == {}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tag=st.from_regex(r"[aZ]{1,3}[-_/. ]?[09]{1,4}([-_/. ][aZ]{1,2})?", fullmatch=True))
async def test_plain_is_at_least_bare(db: Connection, tag: str) -> None:
    """What differs in case, separators and leading zeros alone is one to PostgreSQL as well."""
    assert await db.fetchval("SELECT plain_tag($1) = plain_tag($2)", tag, bare_tag(tag))


async def test_find_cases(db: Connection) -> None:
    """Cases are found by Tag ID and by key together, each once, only in their app."""
    key = await db.fetchval("SELECT id FROM cases WHERE tag_id = 'trv-0007'")
    theirs = await db.fetchval("SELECT id FROM cases WHERE app_id = 2")
    found = await find_cases(
        db, 1, tags=["trv-0007", "trv-0008", "TRV-0009", "trv-9999"], ids=[key, theirs, 0]
    )

    assert sorted(case.tag_id or "" for case in found) == ["trv-0007", "trv-0008"]


async def test_find_users(db: Connection) -> None:
    """Users likewise."""
    found = await find_users(db, 1, tags=["jones-001", "jill-001", "nobody"], ids=[])

    assert [(user.tag_id, user.email, user.is_active) for user in found] == [
        ("jones-001", "Jones@Example.org", True)
    ]


@pytest.mark.parametrize(
    ("email", "tag"),
    [
        ("jones@example.org", "jones-001"),
        ("JONES@EXAMPLE.ORG", "jones-001"),
        ("\u00c9lise@example.org", "elise-001"),
        ("\u00c9LISE@EXAMPLE.ORG", "elise-001"),
    ],
)
async def test_find_users_by_email(db: Connection, email: str, tag: str) -> None:
    """An address is found in any case, and one with other letters at least as it is stored."""
    found = await find_users_by_email(db, 1, [email, "jill@example.org"])

    assert [user.tag_id for user in found] == [tag]


async def test_find_users_by_name(db: Connection) -> None:
    """A full name finds all users of the app who have it."""
    await db.execute(
        """
        INSERT INTO users (app_id, tag_id, email, given_name, family_name) VALUES
          (1, 'ann-1', 'a@example.org', 'Ann', 'Jones'), (1, NULL, 'b@example.org', 'ANN', 'JONES'),
          (2, 'ann-3', 'c@example.org', 'Ann', 'Jones'), (1, 'li-1', 'd@example.org', 'Li', 'Wu')
        """
    )
    found = await find_users_by_name(db, 1, ["ann jones", "li wu", "jo smith"])

    assert {name: [user.tag_id for user in users] for name, users in found.items()} == {
        "ann jones": ["ann-1", None],
        "li wu": ["li-1"],
    }


async def test_neighbours_use_the_indexes(db: Connection) -> None:
    """Looking for near misses reads a few index entries, not the table."""
    plan = await db.fetch("EXPLAIN " + _SIMILAR_TAGS.format(table="cases"), 1, ["trv-42"], 12)
    text = "\n".join(row[0] for row in plan)

    assert "Seq Scan" not in text
    assert "cases_reverse_tag" in text
    assert "cases_plain_tag" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jones", "'jones':*"),
        ("Jones trv-0", "'Jones':* & 'trv':* & '0':*"),
        ("a_b", "'a':* & 'b':*"),
        ("o'neil \\ & | ! ( ) : * <->", "'o':* & 'neil':*"),
        ("\u00e9lise", "'\u00e9lise':*"),
        ("", None),
        (" -- ", None),
        (" ".join("abcdefghij"), " & ".join(f"'{letter}':*" for letter in "abcdefgh")),
    ],
)
def test_prefix_query(text: str, expected: str | None) -> None:
    """Every word begins a word of what is found; signs of the query language are no words."""
    assert prefix_query(text) == expected


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30))
async def test_any_text_is_a_query(db: Connection, text: str) -> None:
    """Whatever a person types, PostgreSQL understands the query."""
    query = prefix_query(text)

    assert query is None or await db.fetchval("SELECT to_tsquery('simple', $1) IS NOT NULL", query)
