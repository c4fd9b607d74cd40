"""Enums whose members bring the text that explains them to clients of the API."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Self


class DescribedStrEnum(StrEnum):
    """An enum of texts: each member is a value and its description.

    The description has a default because mypy would otherwise want it in each look-up by value,
    such as `Permission("ADMIN")`; a test names members that have none.
    """

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class DescribedIntEnum(IntEnum):
    """An enum of numbers: each member is a value and its description."""

    description: str

    def __new__(cls, value: int, description: str = "") -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member
