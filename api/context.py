"""What every resolver gets: who asks, and everything that answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from api.loaders import Loaders
from api.scope import Scope

if TYPE_CHECKING:
    from api.broker import Doorbell
    from api.events import Hub
    from api.settings import Settings
    from importers.registry import Registry
    from models.access import TokenRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What lives as long as the process."""

    settings: Settings
    registry: Registry
    doorbell: Doorbell
    hub: Hub


class Context:
    """What lives as long as one operation.

    Args:
        services: what lives longer.
        token: who asks; decides which app is seen.
    """

    def __init__(self, services: Services, token: TokenRecord) -> None:
        self.services = services
        self.token = token
        self.scope = Scope(token.app_id)
        self.loaders = Loaders(self.scope)

    def forget(self) -> None:
        """Drop what was loaded: a subscription's next event wants newer data."""
        self.loaders = Loaders(self.scope)


Info: TypeAlias = strawberry.Info[Context, None]
