"""The record: a class of them declares a plugin's own table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from importers.sdk.records.declaration import TableDeclaration, declare
from importers.sdk.records.restore_record import restoring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from importers.sdk.changes import Difference, OwnChange
    from importers.sdk.entities import Case, User
    from importers.sdk.records.declaration import KeepDays


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """A record of a plugin's own table; the subclass declares the table.

    Its annotated attributes are the columns: `str`, `int`, `Decimal`, `date`, `bool`, `Case` or
    `User`, each perhaps `| None`, and with a default. A case in the attribute `case` is in the
    column `case_id`. A record belongs to the app of its import, and goes with a case or a user that
    it has to have; where it may be without, the column is null then. Subclasses are frozen
    dataclasses, without a decorator.

    The class takes these arguments beside its bases:

    Args:
        table: name of the table; begin it with your own.
        key: names of the fields that tell an app's records apart; one may stand alone.
        keep_days: how many days a record is kept after its last change; `"imports"` for as long as
            the results of imports are; None for ever.

    Example:
        >>> from datetime import date
        >>> class DeskRent(Record, table="acme_desk_rents", key=("desk", "month")):
        ...     desk: str
        ...     month: date
        ...     cents: int
        ...     payer: Case | None = None
        >>> DeskRent(desk="2-14", month=date(2026, 11, 1), cents=9_000).payer is None
        True
    """

    _declaration: ClassVar[TableDeclaration]
    """The table, as the class declares it; filled in by the class itself."""

    def __init_subclass__(
        cls,
        *,
        table: str,
        key: str | Sequence[str],
        keep_days: KeepDays = None,
        **options: Any,
    ) -> None:
        super().__init_subclass__(**options)
        dataclass(frozen=True, kw_only=True)(cls)
        # Where annotations are texts, they are of names that the class statement sees.
        scope = sys._getframe(1)
        names = {**scope.f_globals, **scope.f_locals}
        cls._declaration = declare(cls, table, key, keep_days, names)

    def __post_init__(self) -> None:
        for field in self._declaration.fields.values():
            field.check(getattr(self, field.name))

    @classmethod
    def inverse(cls, difference: Difference, case: Case | None, user: User | None) -> OwnChange:
        """Make the change that takes back what an import has made of a record.

        It gives back the values that the import has changed, if they are still what it has left.
        """
        return restoring(cls._declaration, difference, case, user)
