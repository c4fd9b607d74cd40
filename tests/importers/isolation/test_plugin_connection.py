"""A plugin's connection takes no statement that ends the transaction."""

from __future__ import annotations

import pytest

from importers.isolation.plugin_connection import refuse_end


@pytest.mark.parametrize(
    "query",
    ["COMMIT", " commit;", "END", "abort", "ROLLBACK", "rollback work", "PREPARE TRANSACTION 'x'",
     "Rollback Transaction"],
)  # fmt: skip
def test_an_end_is_refused(query: str) -> None:
    """The engine ends the transaction, which has the results of rows as well."""
    with pytest.raises(ValueError, match="the transaction is Caseroll's to end"):
        refuse_end(query)


@pytest.mark.parametrize(
    "query",
    ["SELECT 1", "ROLLBACK TO own", "ROLLBACK WORK TO SAVEPOINT own", "SAVEPOINT own",
     "SELECT 'COMMIT'", "endless()", 7],
)  # fmt: skip
def test_all_else_passes(query: object) -> None:
    """A plugin may have savepoints of its own."""
    assert refuse_end(query) is None  # type: ignore[func-returns-value]
