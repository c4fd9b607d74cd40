"""Cases and users get back what they had, unless something else has taken it meanwhile."""

from __future__ import annotations

from tests.importers.engine_fixture import EngineFixture, Result
from tests.importers.test_plan_requests import OTHER, guard


async def test_a_tag_that_is_taken(small: EngineFixture) -> None:
    """A user whose Tag ID another one has by now stays without."""
    await small.execute("UPDATE users SET tag_id = NULL WHERE tag_id = 'jack-001'")
    tagged = await small.run("modify-users", f"{small.user_id('jack-001')},,,,,jack-002,")
    untagged = await small.undo(tagged)
    assert set((await small.results(untagged)).values()) == {Result("UPDATED")}
    await small.run("add-users", "jo@example.org,,,,,jack-002")

    again = await small.undo(untagged)

    [error] = (await small.errors(again))[2]
    assert error["code"] == "CHANGED_SINCE"
    assert "another user has the Tag ID by now" in error["message"]


async def test_what_is_in_use_by_now(small: EngineFixture) -> None:
    """A new case that has users by now, or a new user on a case, stays; the row says of whom."""
    cases = await small.run("add-cases", "new-1,1,,New", "new-2,1,,New")
    users = await small.run("add-users", "jo@example.org,,,,,jo-001")
    used = await small.run("assign", "trv-001,jack-001,,staff,0", "new-2,jo-001,,staff,0")
    [[name]] = await small.fetch("SELECT name FROM imports WHERE id = $1", used)

    undone = await small.undo(cases)

    assert {row.what for row in (await small.results(undone)).values()} == {"UPDATED", "FAILED"}
    told = f"such as that of row 3 of the import '{name}', and stays as it is."
    for key, noun in ((undone, "case"), (await small.undo(users), "user")):
        [[error]] = (await small.errors(key)).values()
        label = noun.title()
        assert error["message"] == f"{label} Id: the {noun} has assignments by now, {told}"


async def test_what_is_in_use_otherwise(small: EngineFixture) -> None:
    """An assignment that no import has made keeps the case as well."""
    done = await small.run("add-cases", "new-1,1,,New")
    await small.execute(
        "INSERT INTO assignments (app_id, case_id, user_id, role_id)"
        " SELECT c.app_id, c.id, $1, $2 FROM cases c WHERE tag_id = 'new-1'",
        small.users["jack-001"],
        small.roles["staff"],
    )

    [[error]] = (await small.errors(await small.undo(done))).values()

    assert error["message"] == "Case Id: the case has assignments by now, and stays as it is."


async def test_long_texts(small: EngineFixture) -> None:
    """A text as long as a cell may be is put back as it was."""
    old = 'x"\\' * 3_000
    await small.execute("UPDATE cases SET about = $1 WHERE tag_id = 'trv-001'", old)
    done = await small.run("modify-cases", f"trv-001,,,{'y' * 9_000}")
    assert (await small.counts(done)).updated == 1

    undone = await small.undo(done)

    assert await small.results(undone) == {2: Result("UPDATED")}
    about = await small.fetchrow("SELECT about FROM cases WHERE tag_id = 'trv-001'")
    assert about["about"] == old


async def test_held(small: EngineFixture) -> None:
    """An undo that would remove much is held like any other import."""
    rows = [f"{case},jack-001,,staff,0" for case in ("trv-001", "trv-003", "trv-004")]
    done = await small.run("assign", *rows)
    await guard(small, remove_percent=20, remove_at_least=2)

    undone = await small.undo(done)

    assert (await small.counts(undone)).status == "HELD"
    assert len(await small.assignments()) == 3
    await small.release(undone, OTHER)
    assert (await small.counts(undone)).removed == 3
