"""What an import comes to as a whole, for an admin to look at before or after it is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import strawberry
from strawberry import field

from api.access.context import Info
from api.errors import ApiError
from api.language import translator
from api.schema.changes.added_field import add_field
from api.schema.entities import CASE_ROW, USER_ROW, Case, User
from api.schema.importing.imports import Import
from api.schema.node import load_many
from models.consequences import ConsequenceCode, find_consequences
from models.imports import ImportStatus
from models.listing import CASES, USERS

if TYPE_CHECKING:
    from models.consequences import Finding


class Wording(NamedTuple):
    """What is counted, and what becomes of it, in a plan and afterwards."""

    noun: str
    planned: str
    done: str

    def message(self, number: int, *, is_ahead: bool, **values: object) -> str:
        noun = self.noun if number == 1 else f"{self.noun}s"
        return f"{number:,} {noun} {(self.planned if is_ahead else self.done).format(**values)}."


_WORDINGS = {
    ConsequenceCode.CASES_WITHOUT_USERS: Wording(
        "case", "would be left without users", "lost the last user"
    ),
    ConsequenceCode.CASES_WITHOUT_ROLE: Wording(
        "case",
        "would be left without a user in the required role",
        "lost the last user in the required role",
    ),
    ConsequenceCode.USERS_WITHOUT_CASES: Wording(
        "user", "would lose their last case", "lost the last case"
    ),
    ConsequenceCode.USERS_ON_MANY_CASES: Wording(
        "user", "would be on more than {many:,} cases", "got to more than {many:,} cases"
    ),
    ConsequenceCode.ROLE_TO_STAFF: Wording(
        "assignment", "would change from clients to staff", "changed from clients to staff"
    ),
    ConsequenceCode.MAILS: Wording("user", "would get a mail", "got a mail, or will get it"),
    ConsequenceCode.REVERSALS: Wording(
        "change",
        "would take back what another import has done within a day",
        "took back what another import had done within a day",
    ),
    ConsequenceCode.DISABLED_USERS_ON_CASES: Wording(
        "user", "would be disabled while on cases", "became disabled while on cases"
    ),
    ConsequenceCode.CLOSED_CASES_WITH_USERS: Wording(
        "case", "would be closed with users still on", "became closed with users still on"
    ),
}


@strawberry.type(
    description="Something that an import leads to, or a plan would, which its admin should know."
)
class Consequence:
    code: str = field(description="Stable, upper-case name of the kind of consequence.")
    message: str = field(description="A sentence for the admin.")
    count: int = field(description="How many cases, users or changes it concerns.")
    cases: list[Case] = field(description="The first few of the cases, at most five.")
    users: list[User] = field(description="The first few of the users, at most five.")


@strawberry.field(
    name="consequences",
    description="What an admin should know: of a dry run and of an import that is held, what its "
    "changes would lead to if it were carried out now; of another, what those that it has made "
    "have led to, as things are now. Only what there is; empty while rows are being run. Found "
    "anew each time, which takes a second or two for a million rows.",
)
async def _list_consequences(self: Import, info: Info) -> list[Consequence]:
    if self.purged_at or not (self.status.is_final or self.status is ImportStatus.HELD):
        return []
    context = info.context
    is_own = self.status is ImportStatus.HELD
    is_ahead = self.dry_run or is_own
    many = context.services.settings.many_cases
    try:
        found = await context.scope.read(
            find_consequences, self.key, is_ahead=is_ahead, is_own=is_own, many_cases=many
        )
    except asyncpg.QueryCanceledError as error:
        message = "It takes too long to find the consequences of this import; look at its changes."
        raise ApiError("TIMED_OUT", message) from error
    cases = await load_many(context, CASES, CASE_ROW, {key for each in found for key in each.cases})
    users = await load_many(context, USERS, USER_ROW, {key for each in found for key in each.users})
    return [_show(each, cases, users, is_ahead=is_ahead, many=many) for each in found]


def _show(
    finding: Finding,
    cases: dict[int, Case],
    users: dict[int, User],
    *,
    is_ahead: bool,
    many: int,
) -> Consequence:
    message = _WORDINGS[finding.code].message(finding.number, is_ahead=is_ahead, many=many)
    return Consequence(
        code=finding.code.value,
        message=translator().error({"code": finding.code.value, "message": message}),
        count=finding.number,
        cases=[cases[key] for key in finding.cases],
        users=[users[key] for key in finding.users],
    )


add_field(Import, _list_consequences)
