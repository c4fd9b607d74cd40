"""The list of assignments with its filters, and the page of one."""

from __future__ import annotations

import re

import pytest

from tests.api.api_fixture import Api, add_cases, add_import, add_users, assign, node_id, sql
from tests.api.console.browser import Browser


async def put_two_on_one_case(api: Api) -> tuple[str, str, str]:
    """Put two users on a case by an import; return the IDs of case, first user and import."""
    cases, users = await add_cases(api.world.app, 2), await add_users(api.world.app, 3)
    import_id = await add_import(api.world.app, "May list", created=2, token_id=None)
    await assign(api.world.app, cases[:1], users[:2], import_id)
    await assign(api.world.app, cases[1:], users[2:])
    return node_id("Case", cases[0]), node_id("User", users[0]), node_id("Import", import_id)


def rows(text: str) -> list[str]:
    """Return the Tag IDs of the users in the rows."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r">(user-\d)<", body)


async def test_list(api: Api, viewer: Browser) -> None:
    """Each assignment says by which row of which import it came; a viewer sees it, too."""
    _, _, import_id = await put_two_on_one_case(api)

    answer = await viewer.get("/console/assignments")

    assert rows(answer.text) == ["user-1", "user-2", "user-3"]
    assert answer.text.count(f'<a href="/console/imports/{import_id}">') == 2
    assert "row 2" in answer.text
    assert "3 assignments" in answer.text
    assert "New import" not in answer.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=name2", ["user-2"]),
        ("import={import}", ["user-1", "user-2"]),
        ("case={case}&user={user}", ["user-1"]),
        ("status=DISABLED", ["user-2"]),
        ("status=CLOSED", ["user-3"]),
        ("status=ACTIVE&role=staff", ["user-1"]),
        ("status=nonsense", ["user-1", "user-2", "user-3"]),
        ("role=clients", []),
        ("case=nonsense&user=nonsense&import=nonsense", []),
    ],
)
async def test_filters(api: Api, admin: Browser, query: str, expected: list[str]) -> None:
    """Filters are in the address; the downloads have the same rows as the list."""
    case, user, import_id = await put_two_on_one_case(api)
    await sql("execute", "UPDATE users SET is_active = false WHERE tag_id = 'user-2'")
    await sql("execute", "UPDATE cases SET is_active = false WHERE tag_id = 'case-2'")
    ids = {"case": case, "user": user, "import": import_id}

    answer = await admin.get(f"/console/assignments?{query.format(**ids)}")
    files = re.findall(r'href="(/console/files/assignments.csv[^"]*type=modify[^"]*)"', answer.text)
    downloads = [(await admin.get(path.replace("&amp;", "&"))).text for path in files]

    assert (answer.status, rows(answer.text)) == (200, expected)
    assert [re.findall(r"user-\d", text) for text in downloads] == [expected] * bool(expected)


async def test_empty(admin: Browser) -> None:
    """Without any assignment, the page says how they are made."""
    text = (await admin.get("/console/assignments")).text

    assert "No user is on any case yet" in text


async def test_history_of_a_pair(api: Api, viewer: Browser) -> None:
    """Its own address shows an assignment and its changes, also when it has ended."""
    case, user, _ = await put_two_on_one_case(api)
    now = await viewer.get(f"/console/assignments/{case}/{user}")
    await sql(
        "execute",
        "INSERT INTO assignment_history (app_id, case_id, user_id, import_id, row, before_role_id,"
        " before_notify) SELECT app_id, case_id, user_id, import_id, 9, after_role_id, after_notify"
        " FROM assignment_history WHERE row = 2",
    )
    await sql("execute", "DELETE FROM assignments WHERE created_row = 2")
    later = await viewer.get(f"/console/assignments/{case}/{user}")

    assert "put on the case as Staff" in now.text
    assert "This user is not on this case." not in now.text
    assert "This user is not on this case." in later.text
    assert later.text.index("taken off the case, was Staff") < later.text.index("put on the case")


async def test_no_such_pair(api: Api, viewer: Browser) -> None:
    """What the app has not is no page."""
    case, user, _ = await put_two_on_one_case(api)
    paths = (f"{case}/{case}", f"{user}/{user}", f"x/{user}")

    assert [(await viewer.get(f"/console/assignments/{each}")).status for each in paths] == [
        404
    ] * 3


@pytest.mark.parametrize("page", ["assignments", "history/assignments"])
@pytest.mark.parametrize("name", ["case", "user", "import"])
async def test_filter_by_nothing(viewer: Browser, page: str, name: str) -> None:
    """A link to a case, user or import that the app has not shows an empty list, and leads on."""
    answer = await viewer.get(f"/console/{page}?{name}=gone")

    assert answer.status == 200
    assert '<p class="empty">' in answer.text
    assert f'<a href="/console/{page}">Show all</a>' in answer.text
