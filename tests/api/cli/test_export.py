"""What `caseroll export` asks the API for."""

from __future__ import annotations

import pytest

from api.cli.export import NOUNS, _path_of
from api.files.export_nouns import EXPORTS


def test_the_nouns_are_those_of_the_api() -> None:
    """The command offers what the API exports."""
    assert list(NOUNS) == list(EXPORTS)


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"type": None, "case": None}, "/files/cases.csv"),
        ({"type": "add-cases", "case": None}, "/files/cases.csv?type=add-cases"),
        ({"case": "a/b c", "role": ""}, "/files/cases.csv?case=a%2Fb+c&role="),
    ],
)
def test_path(asked: dict[str, str | None], path: str) -> None:
    """What was not asked for is not in the URL; what was is encoded, also if it is blank."""
    assert _path_of("cases", "csv", asked) == path
