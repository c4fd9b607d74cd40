"""A made-up law firm to try Caseroll on: cases, users, and who is on what."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

from models.app import App, Role, create_app
from models.assignment import Assignment
from models.case import Case
from models.db import transaction
from models.user import User

DEMO_SLUG = "demo"
CASES = 500
USERS = 300

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
_SAMPLE_USERS = (("jack-001", "Samuel", "Jack"), ("jones-001", "Maria", "Jones"))


async def create_demo() -> App:
    """Create the app `demo` with its data, or find the one that is there."""
    app = await App.get_or_none(slug=DEMO_SLUG)
    if app is not None:
        return app
    async with transaction():
        app = await create_app(DEMO_SLUG, "Demo Law")
        chance = random.Random(_SEED)  # noqa: S311 - the same data for everyone
        await User.bulk_create(demo_users(app.id, chance))
        await Case.bulk_create(demo_cases(app.id, chance))
        await _assign(app.id, chance)
    return app


def demo_users(app_id: int, chance: random.Random) -> list[User]:
    """Make up the users: one in thirty is disabled, one in fifty has no Tag ID yet."""
    numbers: Counter[str] = Counter()
    users = [_user(app_id, *sample) for sample in _SAMPLE_USERS]
    while len(users) < USERS:
        given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
        numbers[family] += 1
        user = _user(app_id, f"{family.lower()}-{numbers[family]:03d}", given, family)
        user.locale = chance.choice(("en", "en", "en", "es"))
        user.zoneinfo = chance.choice(_ZONES)
        user.is_active = len(users) % 30 != 0
        if len(users) % 50 == 0:
            user.tag_id = None
        users.append(user)
    return users


def demo_cases(app_id: int, chance: random.Random) -> list[Case]:
    """Make up the cases `trv-001` to `trv-500`; one in ten is closed."""
    return [
        Case(
            app_id=app_id,
            tag_id=f"trv-{number:03d}",
            about=" ".join(map(chance.choice, (_FAMILY, _MATTERS, _COMPANIES))),
            is_active=number % 10 != 0,
            date_opened=_FIRST_DAY + timedelta(days=2 * number + chance.randrange(2)),
        )
        for number in range(1, CASES + 1)
    ]


async def _assign(app_id: int, chance: random.Random) -> None:
    """Put one client and one member of the staff on the first 200 cases."""
    roles = {role.key: role.id for role in await Role.filter(app_id=app_id)}
    cases = {case.tag_id: case.id for case in await Case.filter(app_id=app_id)}
    users = await User.filter(app_id=app_id, is_active=True).order_by("id")
    sample = {user.tag_id: user for user in users if user.tag_id in ("jack-001", "jones-001")}
    others = [user for user in users if user.tag_id not in sample]
    assignments = []
    for number in range(1, 201):
        client, staff = chance.sample(others, 2)
        pairs = {client.id: "clients", staff.id: "staff"}
        if number == 1:
            pairs = {sample["jones-001"].id: "clients", staff.id: "staff"}
        assignments += [
            Assignment(
                app_id=app_id,
                case_id=cases[f"trv-{number:03d}"],
                user_id=user_id,
                role_id=roles[role],
            )
            for user_id, role in pairs.items()
        ]
    await Assignment.bulk_create(assignments)


def _user(app_id: int, tag_id: str, given: str, family: str) -> User:
    email = f"{given}.{tag_id}@example.org".lower()
    return User(
        app_id=app_id,
        tag_id=tag_id,
        email=email,
        given_name=given,
        family_name=family,
        locale="en",
        zoneinfo=_ZONES[0],
        is_active=True,
    )
