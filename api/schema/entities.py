"""Cases, users, roles, the assignments between them and their changes: types that refer to one
another."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import strawberry
from strawberry import argument, field

from api.access.context import Info
from api.batch.objects import TOGETHER, Together, read
from api.batch.row_type import Part, RowColumn, RowType, node_id
from api.schema.actor import AuditActor
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
from api.schema.importing.change_origin import ChangeOrigin
from api.schema.importing.field_change import FieldChange, field_changes
from api.schema.node import Node, load_together
from models.entity_history import noun_of
from models.history_lists import CASE_HISTORY, PAIR_CHANGES, USER_HISTORY
from models.listing import CASE_ASSIGNMENTS, CASES, USER_ASSIGNMENTS, USERS, has_role

if TYPE_CHECKING:
    from api.access.context import Context
    from api.batch.objects import Items, Selected, Values
    from models.list_query import Condition, Listing

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


async def _list_history_of_each(
    listing: Listing, context: Context, parents: Items, selected: Selected, **page: Any
) -> Values:
    return await connect_each(
        context,
        listing,
        CHANGE_ROW if listing is PAIR_CHANGES else ENTITY_CHANGE_ROW,
        PageArguments(**page),
        (),
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


def _history_field(listing: Listing, noun: str) -> Any:
    """Return the field of a case or user that pages through its own changes."""

    @strawberry.field(
        description=f"Every change of the {noun}'s own fields, and what plugins have changed of "
        f"the {noun}, newest first.",
        metadata={TOGETHER: Together(partial(_list_history_of_each, listing), needs=("key",))},
    )
    async def history(
        self: Case | User,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[EntityChange]:
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await connect(info.context, listing, ENTITY_CHANGE_ROW, arguments, parent=self.key)

    return history


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
    history = _history_field(CASE_HISTORY, "case")


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
    history = _history_field(USER_HISTORY, "user")


USER_ROW = RowType(
    User,
    id=node_id("User"),
    key=RowColumn(("id",)),
    status=RowColumn(
        ("is_active",), {True: UserStatus.ACTIVE, False: UserStatus.DISABLED}.__getitem__
    ),
)


@strawberry.type(description="One user on one case.")
class Assignment(Node):
    """An assignment; it comes with its case, user and role."""

    key: strawberry.Private[int]
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

    @strawberry.field(
        description="Every change of the user's assignment to the case, newest first: also those "
        "from before it was removed and made again.",
        metadata={TOGETHER: Together(partial(_list_history_of_each, PAIR_CHANGES), needs=("key",))},
    )
    async def history(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AssignmentChange]:
        arguments = PageArguments(first=first, after=after, last=last, before=before)
        return await connect(info.context, PAIR_CHANGES, CHANGE_ROW, arguments, parent=self.key)


ASSIGNMENT_ROW = RowType(
    Assignment,
    id=node_id("Assignment"),
    key=RowColumn(("id",)),
    case=Part(CASE_ROW, "case_"),
    user=Part(USER_ROW, "user_"),
    role=Part(ROLE_ROW, "role_"),
    created_by=RowColumn(("created_import_id", "created_row"), ChangeOrigin.of),
    updated_by=RowColumn(("updated_import_id", "updated_row"), ChangeOrigin.of),
)


@strawberry.type(description="An assignment before or after a change.")
class AssignmentState:
    role: Role = field(description="What the user is on the case.")
    notify: bool = field(description="Whether the row asked for an e-mail to the user.")

    @classmethod
    def of(cls, key: str | None, label: str | None, notify: bool | None) -> AssignmentState | None:
        """Make it of the columns of a change; None when the user is not on the case."""
        if key is None or label is None or notify is None:
            return None
        return cls(role=Role(key=key, label=label), notify=notify)


@strawberry.type(description="One change of one assignment.")
class AssignmentChange(Node):
    """A change; it comes with its case, user and roles."""

    case: Case = field(description="The case.")
    user: User = field(description="The user.")
    before: AssignmentState | None = field(
        description="The assignment before; null when the change has put the user on the case."
    )
    after: AssignmentState | None = field(
        description="The assignment after; null when the change has removed the user."
    )
    changed_at: datetime = field(description="When it was changed.")
    origin: ChangeOrigin = field(description="Which row of which import has changed it.")
    actor: AuditActor = field(description="Whose token uploaded that import.")


CHANGE_ROW = RowType(
    AssignmentChange,
    id=node_id("AssignmentChange"),
    case=Part(CASE_ROW, "case_"),
    user=Part(USER_ROW, "user_"),
    before=RowColumn(("before_role_key", "before_role_label", "before_notify"), AssignmentState.of),
    after=RowColumn(("after_role_key", "after_role_label", "after_notify"), AssignmentState.of),
    origin=RowColumn(("import_id", "row"), ChangeOrigin.of),
    actor=RowColumn(("token_name", "token_id"), AuditActor.of),
)


async def _load_cases(context: Context, changes: Items, _: Selected) -> Values:
    return await _load_each(CASES, CASE_ROW, context, read(changes, "case_key"))


async def _load_users(context: Context, changes: Items, _: Selected) -> Values:
    return await _load_each(USERS, USER_ROW, context, read(changes, "user_key"))


async def _load_each(
    listing: Listing, row_type: RowType[Any], context: Context, keys: Values
) -> list[Any]:
    """Load the objects with these keys in one statement; None where there is no key."""
    wanted = cast("list[Any]", keys)
    distinct = sorted({key for key in wanted if key is not None})
    found = await asyncio.gather(
        *(load_together(listing, row_type, context, key) for key in distinct)
    )
    by_key = dict(zip(distinct, found, strict=True))
    return [by_key.get(key) for key in wanted]


@strawberry.type(description="One change of a case, of a user, or of what a plugin keeps.")
class EntityChange(Node):
    case_key: strawberry.Private[int | None]
    user_key: strawberry.Private[int | None]
    record: str | None = field(
        description="What a plugin calls the record of its own that was changed, such as `rate`; "
        "null for the case or the user itself."
    )
    fields: list[FieldChange] = field(
        description="The changed fields, by their names; empty where a plugin does not say what it "
        "has changed. Of a plugin's own record also those that tell it from others."
    )
    changed_at: datetime = field(description="When it was changed.")
    origin: ChangeOrigin | None = field(
        description="Which row of which import has changed it; null when a mutation did."
    )
    actor: AuditActor = field(
        description="Who changed it: the token of the mutation, or of the import's upload."
    )

    @strawberry.field(
        description="The case that it is about; null when it is about none.",
        metadata={TOGETHER: Together(_load_cases, needs=("case_key",))},
    )
    async def case(self, info: Info) -> Case | None:
        [found] = await _load_each(CASES, CASE_ROW, info.context, [self.case_key])
        return cast("Case | None", found)

    @strawberry.field(
        description="The user that it is about; null when it is about none.",
        metadata={TOGETHER: Together(_load_users, needs=("user_key",))},
    )
    async def user(self, info: Info) -> User | None:
        [found] = await _load_each(USERS, USER_ROW, info.context, [self.user_key])
        return cast("User | None", found)


def _changed_fields(
    case: int | None, user: int | None, record: str | None, before: str | None, after: str | None
) -> list[FieldChange]:
    row_type: RowType[Any] | None = None
    if record is None and (case is None) != (user is None):
        row_type = USER_ROW if case is None else CASE_ROW
    return field_changes(before, after, row_type)


def _actor_of_change(actor: str | None, of_import: str | None, token: int | None) -> AuditActor:
    return AuditActor.of(actor or of_import, token)


ENTITY_CHANGE_ROW = RowType(
    EntityChange,
    id=node_id("EntityChange"),
    case_key=RowColumn(("case_id",)),
    user_key=RowColumn(("user_id",)),
    record=RowColumn(("record",), noun_of),
    fields=RowColumn(("case_id", "user_id", "record", "before", "after"), _changed_fields),
    origin=RowColumn(("import_id", "row"), ChangeOrigin.of),
    actor=RowColumn(("actor", "token_name", "token_id"), _actor_of_change),
)
