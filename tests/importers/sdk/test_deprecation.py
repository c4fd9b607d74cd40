"""Names that have been replaced go on working for one release."""

from __future__ import annotations

import pytest

import importers.testing
from importers import Importer
from importers.sdk import deprecation


@pytest.fixture
def with_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a class renamed."""
    table = {"importers": {"Reader": "Importer"}, "importers.testing": {}}
    monkeypatch.setattr(deprecation, "RENAMED", table)


@pytest.mark.usefixtures("with_table")
def test_an_old_name_is_the_new_thing() -> None:
    """It is the very class, whichever way it is imported, and the warning is on that line."""
    with pytest.warns(DeprecationWarning, match="is now importers.Importer") as told:
        from importers import Reader  # type: ignore[attr-defined]

    assert Reader is Importer
    assert {str(each.message) for each in told} == {
        "importers.Reader is now importers.Importer; the old name goes with the next release"
    }
    assert {each.filename for each in told} == {__file__}


@pytest.mark.usefixtures("with_table")
def test_a_name_that_never_was() -> None:
    """Nothing else is found, and modules of the package are imported as ever."""
    with pytest.raises(AttributeError, match="module 'importers' has no attribute 'Nobody'"):
        _ = importers.Nobody  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="cannot import name 'Nobody'"):
        from importers import Nobody  # type: ignore[attr-defined]  # noqa: F401
    from importers.sdk import errors

    assert errors.RowError is importers.RowError


def test_testing_has_a_table_as_well() -> None:
    """`importers.testing` answers in the same way."""
    with pytest.raises(AttributeError, match=r"module 'importers\.testing' has no attribute 'a'"):
        _ = importers.testing.a  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", [importers, importers.testing], ids=lambda each: each.__name__)
def test_the_table_fits(module: object) -> None:
    """Every new name is a public one, and no old one still is."""
    table = deprecation.RENAMED[module.__name__]  # type: ignore[attr-defined]
    public = set(module.__all__)  # type: ignore[attr-defined]

    assert set(table.values()) <= public
    assert public.isdisjoint(table)
    assert set(deprecation.RENAMED) == {"importers", "importers.testing"}
