"""Makes files of any import type with any number of rows."""

from __future__ import annotations

import random
from typing import NamedTuple

USERS, CASES = "jack", "trv"
_SEED = 1


class FileFormat(NamedTuple):
    """The rows of an import type.

    Args:
        line: a good row; `{a}` and `{b}` are numbers, `{tag}` is the prefix of new Tag IDs.
        wrong: a row that fails; only wrong rows contain `-xx`.
        has_pairs: whether a row is about a case and a user, `{a}` and `{b}`.
    """

    header: str
    line: str
    wrong: str
    has_pairs: bool = False


FORMATS = {
    "assign": FileFormat(
        "case_id,user_id,case_role_order,case_role_id,case_notify",
        "trv-{a:06},jack-{b:06},,staff,0",
        "trv-xx,jack-{b:06},,staff,0",
        has_pairs=True,
    ),
    "modify": FileFormat(
        "case_id,user_id,case_role_id,case_notify",
        "trv-{a:06},jack-{b:06},clients,",
        "trv-xx,jack-{b:06},clients,",
        has_pairs=True,
    ),
    "remove": FileFormat(
        "user_id,case_id", "jack-{b:06},trv-{a:06}", "jack-{b:06},trv-xx", has_pairs=True
    ),
    "add-users": FileFormat(
        "username,given_name,family_name,locale,zoneinfo,host_tag_id",
        "{tag}{a}@example.org,Jo,Smith,en,America/New_York,{tag}-{a:06}",
        "{tag}-xx{a},Jo,Smith,en,America/New_York,{tag}-{a:06}",
    ),
    "add-cases": FileFormat(
        "tag_id,case_status,date_opened,about",
        "{tag}-{a:06},1,01/31/2026,Smith v. Harbor Freight Lines",
        "{tag}-{a:06},1,01-xx,Smith v. Harbor Freight Lines",
    ),
    "modify-users": FileFormat(
        "user_id,given_name,family_name,locale,zoneinfo,host_tag_id,host_user_status",
        "jack-{a:06},Kim,Jones,es,Europe/Madrid,,1",
        "jack-xx,Kim,Jones,es,Europe/Madrid,,1",
    ),
    "modify-cases": FileFormat(
        "case_id,case_status,date_opened,about",
        "trv-{a:06},1,02/28/2026,Jones v. Northgate Insurance",
        "trv-xx,1,02/28/2026,Jones v. Northgate Insurance",
    ),
}


def make_file(
    type_: str, rows: int, *, tag: str = "new", people: int = 1, is_perfect: bool = False
) -> bytes:
    """Return a file whose rows are all about different things, in random order.

    Args:
        tag: prefix of the Tag IDs of new users or cases.
        people: the number of cases, and of users, that rows about assignments name.
        is_perfect: whether all rows are good; else one row in a hundred is wrong.
    """
    form = FORMATS[type_]
    chance = random.Random(_SEED)
    numbers = chance.sample(range(people * people if form.has_pairs else rows), rows)
    lines = [form.header]
    for row, number in enumerate(numbers):
        a, b = divmod(number, people) if form.has_pairs else (number, 0)
        is_wrong = row % 100 == 99 and not is_perfect
        lines.append((form.wrong if is_wrong else form.line).format(a=a, b=b, tag=tag))
    return "\r\n".join(lines).encode()
