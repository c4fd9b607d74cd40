"""What the execution of an operation leaves behind."""

from __future__ import annotations

import gc
import warnings

import pytest

from tests.api.api_fixture import Api, add_cases, add_import


@pytest.mark.parametrize(
    "query",
    [
        '{ auditEvents(before: "x") { totalCount } importTypes { description sampleTemplate {'
        " content } } }",
        '{ cases(after: "x") { totalCount } users { edges { node { assignments { totalCount } } }'
        " pageInfo { hasNextPage } totalCount } }",
        '{ imports { edges { node { a: rows(before: "x") { totalCount } b: rows { totalCount }'
        " type { description } } } totalCount pageInfo { hasNextPage } } }",
    ],
)
async def test_what_a_failure_leaves(api: Api, query: str) -> None:
    """Where a field fails, no coroutine beside it is dropped: Python would warn of each on stderr,
    wherever it is collected."""
    await add_cases(api.world.app, 2)
    await add_import(api.world.app)
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        code = await api.code(query)
        gc.collect()

    assert code == "BAD_CURSOR"
    assert [str(each.message) for each in caught if "awaited" in str(each.message)] == []
