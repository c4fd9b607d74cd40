"""Fields added to a type from the module of another, where each of the two refers to the other."""

from __future__ import annotations

from typing import Any


def add_field(kind: type, field: Any) -> None:
    """Give a type a field, by the name of its resolver.

    An import lists changes of cases, and an assignment of a case says which import changed it. The
    module of one type has to be there before that of the other; this closes the circle.
    """
    definition: Any = kind.__dict__["__strawberry_definition__"]
    field.python_name = field.name = field.base_resolver.name
    field.origin = kind
    definition.fields.append(field)
