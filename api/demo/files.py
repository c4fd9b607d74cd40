"""Files that describe a made-up law firm: its users, its cases, and who is on what."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CASES = 500
USERS = 300
ASSIGNED_CASES = 200

_SEED = 7
_GIVEN = (
    "Ada Aisha Akira Alice Amara Andrei Anika Ben Bianca Carlos Chen Clara Dana Daniel Deepa Elena "
    "Emeka Eva Farid Fatima Felix Grace Hana Hugo Ines Isaac Ivan Jade James Jonas Julia Kofi Lea "
    "Leo Lin Lucia Maria Marcus Mei Mina Nadia Nora Olga Omar Paula Priya Rafael Rosa Ruth Samuel "
    "Sara Sofia Tariq Tess Tomas Uma Victor Wei Yara Zoe"
).split()
_FAMILY = (
    "Abbott Adeyemi Ahmed Alvarez Baker Banerjee Barros Becker Berg Bianchi Brown Castillo Chen "
    "Clark Costa Dubois Eriksen Fischer Flores Garcia Greco Haddad Hansen Hughes Ito Ivanova "
    "Johansson Kaur Khan Kim Kowalski Larsen Lee Lopez Martin Meyer Miller Moreau Murphy Nakamura "
    "Nguyen Novak Okafor Olsen Patel Pereira Petrov Quinn Reyes Rossi Santos Schmidt Singh Tanaka "
    "Torres Walker Weber Wright Young Zhang"
).split()
_COMPANIES = (
    "Harbor Freight Lines;Northgate Insurance;Blue Ridge Hospital;Pacific Rail;Sunrise Foods;"
    "Cedar Grove Schools;Metro Transit;Summit Energy;Lakeside Homes;Orchard Pharmacy"
).split(";")
_MATTERS = ("v.", "claim against", "appeal against", "settlement with")
_ZONES = ("America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/Madrid")
_FIRST_DAY = date(2023, 1, 2)
# The sample files need these two: one on trv-001, the other not.
_ON_NO_CASE, _ON_FIRST_CASE = "jack-001", "jones-001"
_SAMPLE_USERS = (
    (_ON_NO_CASE, "Samuel", "Jack", "jack@example.org"),
    (_ON_FIRST_CASE, "Maria", "Jones", "jo@example.org"),
)


class DemoUser(NamedTuple):
    """A user, in the order of the columns of `add-users`."""

    username: str
    given_name: str
    family_name: str
    locale: str
    zoneinfo: str
    host_tag_id: str


class DemoCase(NamedTuple):
    """A case, in the order of the columns of `add-cases`."""

    tag_id: str
    date_opened: date
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFile:
    """A file to import.

    Args:
        type: the key of the importer.
        name: what the import is called.
    """

    type: str
    name: str
    file_name: str
    content: bytes


def demo_files() -> list[DemoFile]:
    """Make up the files, in the order in which they have to be imported.

    Users are disabled before there are assignments, so that none of those is theirs; cases are
    closed after it, as nobody can be assigned to a closed one.
    """
    chance = random.Random(_SEED)  # noqa: S311 - the same data for everyone
    users, cases = demo_users(chance), demo_cases(chance)
    disabled = {user.host_tag_id for user in users[30::30] if user.host_tag_id}
    active = [user.host_tag_id for user in users if user.host_tag_id not in {*disabled, ""}]
    closed = [case.tag_id for case in cases[9::10]]
    assignments = _assignments(active, [case.tag_id for case in cases], chance)
    return [
        _file("add-users", "users", DemoUser._fields, users),
        _file(
            "modify-users",
            "users who have left",
            ("user_id", "host_user_status"),
            [(tag, 0) for tag in sorted(disabled)],
        ),
        _file("add-cases", "cases", DemoCase._fields, cases),
        _file("assign", "assignments", ("case_id", "user_id", "case_role_id"), assignments),
        _file(
            "modify-cases",
            "cases that are closed",
            ("case_id", "case_status"),
            [(tag, 0) for tag in closed],
        ),
    ]


def demo_users(chance: random.Random) -> list[DemoUser]:
    """Make up the users; one in fifty has no Tag ID yet."""
    numbers: Counter[str] = Counter()
    users = [_user(*sample) for sample in _SAMPLE_USERS]
    while len(users) < USERS:
        given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
        numbers[family] += 1
        user = _user(f"{family.lower()}-{numbers[family]:03d}", given, family)._replace(
            locale=chance.choice(("en", "en", "en", "es")), zoneinfo=chance.choice(_ZONES)
        )
        users.append(user if len(users) % 50 else user._replace(host_tag_id=""))
    return users


def demo_cases(chance: random.Random) -> list[DemoCase]:
    """Make up the cases `trv-001` to `trv-500`."""
    return [
        DemoCase(
            tag_id=f"trv-{number:03d}",
            about=" ".join(map(chance.choice, (_FAMILY, _MATTERS, _COMPANIES))),
            date_opened=_FIRST_DAY + timedelta(days=2 * number + chance.randrange(2)),
        )
        for number in range(1, CASES + 1)
    ]


def _assignments(
    users: Sequence[str], cases: Sequence[str], chance: random.Random
) -> list[tuple[str, str, str]]:
    """Put a client and a member of the staff on the first cases."""
    others = [user for user in users if user not in (_ON_FIRST_CASE, _ON_NO_CASE)]
    rows = []
    for number, case in enumerate(cases[:ASSIGNED_CASES]):
        client, staff = chance.sample(others, 2)
        rows.append((case, client if number else _ON_FIRST_CASE, "clients"))
        rows.append((case, staff, "staff"))
    return rows


def _user(tag_id: str, given: str, family: str, email: str | None = None) -> DemoUser:
    email = email or f"{given}.{tag_id}@example.org".lower()
    return DemoUser(email, given, family, "en", _ZONES[0], tag_id)


def _file(
    type_: str, what: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> DemoFile:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return DemoFile(
        type=type_,
        name=f"Demo: {what}",
        file_name=f"{what.replace(' ', '-')}.csv",
        content=text.getvalue().encode(),
    )
