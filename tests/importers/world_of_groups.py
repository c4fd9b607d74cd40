"""Who is on which case before the files of whole groups."""

from __future__ import annotations

from importers.sdk.entities import Case, User
from importers.testing import Assigned, World

WORLD = World(
    cases=[
        Case(id=1, tag_id="trv-001"),
        Case(id=2, tag_id="trv-002"),
        Case(id=3, tag_id="closed-001", is_active=False),
    ],
    users=[
        User(id=1, tag_id="jack-001", email="jack@example.org"),
        User(id=2, tag_id="jones-001", email="jo@example.org"),
        User(id=3, tag_id="gone-001", email="gone@example.org", is_active=False),
        User(id=4, tag_id="jill-001", email="jill@example.org"),
    ],
    assignments=[
        Assigned(case="trv-001", user="jones-001", role="clients"),
        Assigned(case="trv-001", user="jill-001", role="clients"),
        Assigned(case="trv-001", user="gone-001", role="staff"),
        Assigned(case="closed-001", user="jones-001", role="clients"),
        Assigned(case="closed-001", user="jack-001", role="staff"),
    ],
)
