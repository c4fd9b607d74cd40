"""The queries that pages are compared with are those that the pages make."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values

from api.console.operation import operation_text
from api.schema.definition import schema
from bench.console import _Page, _pages


@pytest.mark.parametrize("page", _pages("x"), ids=lambda page: page.operation)
def test_variables(page: _Page) -> None:
    """The variables of a page's query are those that it needs, and no others."""
    [definition] = [
        each
        for each in parse(operation_text(page.operation)).definitions
        if isinstance(each, OperationDefinitionNode)
    ]
    declared = definition.variable_definitions or ()
    read = get_variable_values(schema._schema, declared, page.variables)

    assert not isinstance(read, list)
    assert set(page.variables) <= {each.variable.name.value for each in declared}
