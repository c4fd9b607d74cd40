"""Guards of an app: what they may be set to."""

from __future__ import annotations

from tests.api.api_fixture import Api

SET = """
    mutation ($types: [String!]) {
      updateApp(input: {releaseTypes: $types}) {
        app { guards { releaseTypes } } userErrors { code field } } }
"""


async def test_types_to_be_released(api: Api) -> None:
    """Each type may have to be released, undos among them; others are refused."""
    data = await api.data(SET, {"types": ["remove", "undo"]})
    assert data["updateApp"]["app"]["guards"] == {"releaseTypes": ["remove", "undo"]}

    data = await api.data(SET, {"types": ["nothing"]})
    assert data["updateApp"]["userErrors"] == [
        {"code": "UNKNOWN_TYPE", "field": ["input", "releaseTypes"]}
    ]
    assert data["updateApp"]["app"] is None
