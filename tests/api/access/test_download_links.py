"""Links to downloads: what they open, for how long, and how often."""

from __future__ import annotations

import pytest

from api.access.quota import Quota
from tests.api.api_fixture import Api, add_cases, sql

INVALID = "This link does not work: each works once, within a minute. Ask for a new one."


async def url_of(api: Api, path: str, token: str | None = None) -> str:
    query = "mutation ($path: String!) { createDownload(path: $path) { url userErrors { code } } }"
    payload = (await api.data(query, {"path": path}, token))["createDownload"]
    assert payload["userErrors"] == []
    url: str = payload["url"]
    return url


@pytest.mark.parametrize(
    "path",
    [
        "/files/cases.csv",
        "/files/cases.csv?type=add-cases",
        "/files/samples/assign_sample.csv",
        "/files/samples/assign_sample.csv?format=xlsx",
        "/files/samples/%61ssign_sample.csv?format=csv",
    ],
)
async def test_a_link_works_once(api: Api, path: str) -> None:
    """Without a token, a link gets what a token gets, and then nothing any more."""
    await add_cases(api.world.app, 2)
    url = await url_of(api, path)
    _, expected, _ = await api.get(path)

    first = await api.get(url, None)
    second = await api.get(url, None)

    assert first[0] == 200
    if "xlsx" not in path:
        assert first[1] == expected
    assert (second[0], INVALID in second[1].decode()) == (404, True)


async def test_an_uploaded_file(api: Api) -> None:
    """A link to a file of an import."""
    uploaded = (await api.upload(b"case_id,user_id,case_role_id\r\na,b,staff\r\n"))["import"]
    url = await url_of(api, f"/files/imports/{uploaded['id']}")

    assert (await api.get(url, None))[1] == b"case_id,user_id,case_role_id\r\na,b,staff\r\n"


async def test_a_link_ends(api: Api) -> None:
    """After its time it opens nothing, and the next link clears it away."""
    url = await url_of(api, "/files/cases.csv")
    await sql("execute", "UPDATE download_links SET expires_at = now()")

    assert (await api.get(url, None))[0] == 404
    assert await sql("fetchval", "SELECT count(*) FROM download_links") == 1
    await url_of(api, "/files/cases.csv")
    assert await sql("fetchval", "SELECT count(*) FROM download_links") == 1


@pytest.mark.parametrize(
    ("made_for", "asked"),
    [
        ("/files/cases.csv?type=add-cases", "/files/cases.csv?"),
        ("/files/cases.csv?type=add-cases", "/files/cases.csv?type=modify-cases&"),
        ("/files/cases.csv?type=add-cases", "/files/users.csv?type=add-cases&"),
        ("/files/cases.csv", "/files/cases.csv?type=add-cases&"),
        ("/files/cases.csv", "/files/cases.xlsx?"),
    ],
)
async def test_a_link_opens_nothing_else(api: Api, made_for: str, asked: str) -> None:
    """Its secret opens the path and the parameters that it was made for, and no others."""
    secret = (await url_of(api, made_for)).rpartition("link=")[2]

    assert (await api.get(f"{asked}link={secret}", None))[0] == 404
    assert (await api.get(f"/graphql?query={{viewer{{tokenName}}}}&link={secret}", None))[0] == 401


@pytest.mark.parametrize("secret", ["", "crl_x", "%00", "%FF", "x" * 5_000])
async def test_no_such_link(api: Api, secret: str) -> None:
    """What is no secret of a link opens nothing."""
    assert (await api.get(f"/files/cases.csv?link={secret}", None))[0] == 404


async def test_head_uses_nothing_up(api: Api) -> None:
    """A browser may ask what is coming before it comes."""
    url = await url_of(api, "/files/cases.csv")

    async with api.http.head(f"{api.url}{url}") as response:
        assert (response.status, response.headers["Content-Type"]) == (
            200,
            "text/csv; charset=utf-8",
        )
    assert (await api.get(url, None))[0] == 200


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
async def test_a_link_of_a_token_that_ended(api: Api, column: str) -> None:
    """A link opens nothing any more once its token doesn't."""
    url = await url_of(api, "/files/cases.csv")
    await sql("execute", f"UPDATE api_tokens SET {column} = now()")

    assert (await api.get(url, None))[0] == 401


async def test_a_link_is_a_request_of_its_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts towards the token's rate, and shows what the token's app has."""
    await add_cases(api.world.app, 2)
    mine = await url_of(api, "/files/cases.csv")
    other = await url_of(api, "/files/cases.csv", api.world.stranger)
    quota = await api.quota()
    counted: list[Quota] = []

    def count(of_token: Quota) -> None:
        counted.append(of_token)

    monkeypatch.setattr(Quota, "count", count)

    assert len((await api.get(mine, None))[1].splitlines()) == 3
    assert counted == [quota]
    assert len((await api.get(other, None))[1].splitlines()) == 1


async def test_with_a_token_the_token_counts(api: Api) -> None:
    """A request with a token needs no link, and uses none up."""
    url = await url_of(api, "/files/cases.csv")

    assert (await api.get(url, "crl_wrong"))[0] == 401
    assert (await api.get(url))[0] == 200
    assert (await api.get(url, None))[0] == 200
