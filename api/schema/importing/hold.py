"""Holds: why an import is held until it is released."""

from __future__ import annotations

import json
from datetime import datetime

import strawberry
from strawberry import field

from api.language import translator


@strawberry.type(description="Why an import is held: nothing of it is applied.")
class Hold:
    code: str = field(
        description="Stable, upper-case name of the reason. `REMOVES_MANY`: it would remove more "
        "than the app's guards allow. `RELEASE_REQUIRED`: another token than the one that uploaded "
        "it has to release it."
    )
    message: str = field(description="A sentence for people.")
    since: datetime = field(description="Since when it has been held.")

    @classmethod
    def of(cls, stored: str | None) -> Hold | None:
        if stored is None:
            return None
        values = json.loads(stored)
        since = datetime.fromisoformat(values["since"])
        return cls(code=values["code"], message=translator().error(values), since=since)
