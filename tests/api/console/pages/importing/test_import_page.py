"""What the top of an import's pages says."""

from __future__ import annotations

from tests.api.api_fixture import Api, add_import, node_id, sql
from tests.api.console.browser import Browser


async def test_mails(api: Api, admin: Browser) -> None:
    """The heading says what became of mails, and nothing of those that there are none of."""
    silent, loud = [await add_import(api.world.app, name) for name in ("May", "June")]
    mails = """
        INSERT INTO mails (app_id, import_id, state)
        SELECT $1, $2, unnest('{SENT,SENT,PENDING,UNKNOWN}'::text[])
    """
    await sql("execute", mails, api.world.app.id, loud)
    with_none, with_some = [
        (await admin.get(f"/console/imports/{node_id('Import', key)}/log")).text
        for key in (silent, loud)
    ]

    assert "<dt>Mails</dt>" not in with_none
    assert "<dt>Mails</dt><dd>2 sent, 1 waiting, 1 perhaps sent</dd>" in with_some
