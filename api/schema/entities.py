"""Cases, users, roles and the assignments between them: types that refer to one another."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import strawberry
from strawberry import argument, field

from api.access.context import Info
from api.batch.objects import TOGETHER, Together, read
from api.batch.row_type import Part, RowColumn, RowType, node_id
from api.schema.connection import (
    After,
    Before,
    Connection,
    First,
    Last,
    PageArguments,
    connect,
    connect_each,
)
from api.schema.importing.imports import IMPORT_ROW, Import
from api.schema.node import Node, load_together
from models.listing import CASE_ASSIGNMENTS, IMPORTS, USER_ASSIGNMENTS, has_role

if TYPE_CHECKING:
    from api.access.context import Context
    from api.batch.objects import Items, Selected, Values
    from models.page import Condition, Listing

InRole: TypeAlias = Annotated[
    str | None, argument(description="Only those in the role with this key.")
]


def in_role(key: str | None) -> tuple[Condition, ...]:
    return () if key is None else (has_role(key),)


async def _list_assignments_of_each(
    listing: Listing,
    context: Context,
    parents: Items,
    selected: Selected,
    *,
    role: str | None = None,
    **page: Any,
) -> Values:
    return await connect_each(
        context,
        listing,
        ASSIGNMENT_ROW,
        PageArguments(**page),
        in_role(role),
        parents=cast("list[int]", read(parents, "key")),
        selected=selected,
    )


def _assignments_field(listing: Listing, description: str) -> Any:
    """Return the field of a case or user that pages through its assignments."""

    @strawberry.field(
        description=description,
        metadata={TOGETHER: Together(partial(_list_assignments_of_each, listing), needs=("key",))},
    )
    async def assignments(
        self: Case | User,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        role: InRole = None,
    ) -> Connection[Assignment]:
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        conditions = in_role(role)
        return await connect(
            info.context, listing, ASSIGNMENT_ROW, arguments, conditions, parent=self.key
        )

    return assignments


@strawberry.type(description="What a user can be on a case.")
class Role:
    key: str = field(description="What files call it, e.g. `staff`.")
    label: str = field(description="What people call it, e.g. `Staff`.")


ROLE_ROW = RowType(Role)


@strawberry.field(name="roles", description="The app's roles.")
async def list_roles(info: Info) -> list[Role]:
    return list(ROLE_ROW.objects(await info.context.loaders.roles()))


@strawberry.enum(description="Whether a case takes new assignments.")
class CaseStatus(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="Open.")
    CLOSED = strawberry.enum_value("CLOSED", description="Closed: it takes no new users.")


@strawberry.type(description="A matter that users are assigned to.")
class Case(Node):
    key: strawberry.Private[int]
    tag_id: str | None = field(
        description="The organisation's own name for the case, unique in the app."
    )
    about: str = field(description="What the case is about.")
    status: CaseStatus = field(description="Whether it is open.")
    date_opened: date | None = field(description="When it was opened, if recorded.")
    created_at: datetime = field(description="When it came into the system.")
    updated_at: datetime = field(description="When it was last changed.")

    assignments = _assignments_field(
        CASE_ASSIGNMENTS, "Who is on the case, in the order in which users came."
    )


CASE_ROW = RowType(
    Case,
    id=node_id("Case"),
    key=RowColumn(("id",)),
    status=RowColumn(
        ("is_active",), {True: CaseStatus.ACTIVE, False: CaseStatus.CLOSED}.__getitem__
    ),
)


@strawberry.enum(description="Whether a user can be put on cases.")
class UserStatus(Enum):
    ACTIVE = strawberry.enum_value("ACTIVE", description="Enabled.")
    DISABLED = strawberry.enum_value("DISABLED", description="Disabled: can't be put on a case.")


@strawberry.type(description="A person who can be assigned to cases.")
class User(Node):
    key: strawberry.Private[int]
    tag_id: str | None = field(
        description="The organisation's own name for the user, unique in the app."
    )
    email: str = field(
        description="The address, which is also the user name; unique in the app in any case."
    )
    given_name: str = field(description="First name; may be empty.")
    family_name: str = field(description="Last name; may be empty.")
    locale: str | None = field(description="Preferred language, a BCP 47 tag.")
    zoneinfo: str | None = field(description="Time zone, an IANA name.")
    status: UserStatus = field(description="Whether the user is enabled.")
    created_at: datetime = field(description="When the user came into the system.")
    updated_at: datetime = field(description="When the user was last changed.")

    assignments = _assignments_field(
        USER_ASSIGNMENTS, "Which cases the user is on, in the order in which cases came."
    )


USER_ROW = RowType(
    User,
    id=node_id("User"),
    key=RowColumn(("id",)),
    status=RowColumn(
        ("is_active",), {True: UserStatus.ACTIVE, False: UserStatus.DISABLED}.__getitem__
    ),
)


@strawberry.type(description="Which row of which import did something.")
class ChangeOrigin:
    import_key: strawberry.Private[int]
    row: int = field(description="The row's number, as a spreadsheet shows it.")

    @strawberry.field(name="import", description="The import.")
    async def import_(self, info: Info) -> Import:
        """Load the import, together with those of other origins."""
        found = await load_together(IMPORTS, IMPORT_ROW, info.context, self.import_key)
        return cast("Import", found)

    @classmethod
    def of(cls, import_key: int | None, row: int | None) -> ChangeOrigin | None:
        """Make it of the columns of an assignment; None when no import did it."""
        if import_key is None or row is None:
            return None
        return cls(import_key=import_key, row=row)


@strawberry.type(description="One user on one case.")
class Assignment(Node):
    """An assignment; it comes with its case, user and role."""

    case: Case = field(description="The case.")
    user: User = field(description="The user.")
    role: Role = field(description="What the user is on the case.")
    notify: bool = field(
        description="Whether the row that last changed it asked for an e-mail to the user."
    )
    created_at: datetime = field(description="When the user was put on the case.")
    updated_at: datetime = field(description="When the assignment was last changed.")
    created_by: ChangeOrigin | None = field(
        description="Which import put the user on the case; null when none did."
    )
    updated_by: ChangeOrigin | None = field(
        description="Which import last changed it; null when none did since it was created."
    )


ASSIGNMENT_ROW = RowType(
    Assignment,
    id=node_id("Assignment"),
    case=Part(CASE_ROW, "case_"),
    user=Part(USER_ROW, "user_"),
    role=Part(ROLE_ROW, "role_"),
    created_by=RowColumn(("created_import_id", "created_row"), ChangeOrigin.of),
    updated_by=RowColumn(("updated_import_id", "updated_row"), ChangeOrigin.of),
)
