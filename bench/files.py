"""Files to measure with: a type of import, any number of rows."""

from __future__ import annotations

import random
from typing import NamedTuple

USERS, CASES = "jack", "trv"
_SEED = 1


class Kind(NamedTuple):
    """How the rows of a type look.

    Args:
        line: a good row; `{a}` and `{b}` are numbers, `{tag}` what new Tag IDs begin with.
        wrong: a row that fails; `-xx` is in no other.
        has_pairs: whether a row is about a case and a user, `{a}` and `{b}`.
    """

    header: str
    line: str
    wrong: str
    has_pairs: bool = False


KINDS = {
    "assign": Kind(
        "case_id,user_id,case_role_order,case_role_id,case_notify",
        "trv-{a:06},jack-{b:06},,staff,0",
        "trv-xx,jack-{b:06},,staff,0",
        has_pairs=True,
    ),
    "modify": Kind(
        "case_id,user_id,case_role_id,case_notify",
        "trv-{a:06},jack-{b:06},clients,",
        "trv-xx,jack-{b:06},clients,",
        has_pairs=True,
    ),
    "remove": Kind(
        "user_id,case_id", "jack-{b:06},trv-{a:06}", "jack-{b:06},trv-xx", has_pairs=True
    ),
    "add-users": Kind(
        "username,given_name,family_name,locale,zoneinfo,host_tag_id",
        "{tag}{a}@example.org,Jo,Smith,en,America/New_York,{tag}-{a:06}",
        "{tag}-xx{a},Jo,Smith,en,America/New_York,{tag}-{a:06}",
    ),
    "add-cases": Kind(
        "tag_id,case_status,date_opened,about",
        "{tag}-{a:06},1,01/31/2026,Smith v. Harbor Freight Lines",
        "{tag}-{a:06},1,01-xx,Smith v. Harbor Freight Lines",
    ),
    "modify-users": Kind(
        "user_id,given_name,family_name,locale,zoneinfo,host_tag_id,host_user_status",
        "jack-{a:06},Kim,Jones,es,Europe/Madrid,,1",
        "jack-xx,Kim,Jones,es,Europe/Madrid,,1",
    ),
    "modify-cases": Kind(
        "case_id,case_status,date_opened,about",
        "trv-{a:06},1,02/28/2026,Jones v. Northgate Insurance",
        "trv-xx,1,02/28/2026,Jones v. Northgate Insurance",
    ),
}


def make_file(
    type_: str, rows: int, *, tag: str = "new", people: int = 1, is_perfect: bool = False
) -> bytes:
    """Write a file in which each row is about something else, in no order.

    Args:
        tag: what the Tag IDs of new users or cases begin with.
        people: rows about assignments are about so many cases and users.
        is_perfect: else one row in a hundred is wrong.
    """
    kind = KINDS[type_]
    chance = random.Random(_SEED)
    numbers = chance.sample(range(people * people if kind.has_pairs else rows), rows)
    lines = [kind.header]
    for row, number in enumerate(numbers):
        a, b = divmod(number, people) if kind.has_pairs else (number, 0)
        is_wrong = row % 100 == 99 and not is_perfect
        lines.append((kind.wrong if is_wrong else kind.line).format(a=a, b=b, tag=tag))
    return "\r\n".join(lines).encode()
