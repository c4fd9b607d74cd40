"""What a mutation's caller got wrong."""

from __future__ import annotations

import strawberry


@strawberry.type(description="Something that was wrong with the input; nothing has been done.")
class UserError:
    """An expected failure."""

    code: str = strawberry.field(
        description="Stable, upper-case name of the kind of error, for programs."
    )
    message: str = strawberry.field(description="A sentence for the person who gave the input.")
    field: list[str] | None = strawberry.field(
        description="Path of the argument or input field at fault, e.g. `input`, `name`."
    )


def user_error(code: str, message: str, *field: str) -> UserError:
    """Make an error about one input field.

    Args:
        field: the field's path.
    """
    return UserError(code=code, message=message, field=list(field) or None)
