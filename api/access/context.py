"""What every resolver gets: who asks, and everything that answers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from api.access.loaders import Loaders
from api.access.scope import Scope
from models.audit import Actor

if TYPE_CHECKING:
    from api.access.quota import Allowance, Allowances
    from api.access.tokens import Tokens
    from api.broker import Doorbell
    from api.events.hub import Hub
    from api.settings import Settings
    from importers.plugins.registry import Registry
    from models.access import TokenRecord
    from models.app_pool import AppPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What lives as long as the process."""

    settings: Settings
    registry: Registry
    doorbell: Doorbell
    hub: Hub
    tokens: Tokens
    pool: AppPool
    allowances: Allowances


class Context:
    """What lives as long as one operation.

    Args:
        services: what lives longer.
        token: who asks; decides which app is seen.
    """

    def __init__(self, services: Services, token: TokenRecord) -> None:
        self.services = services
        self.token = token
        self.scope = Scope(services.pool, token.app_id, self.allowance.connections)
        self.actor = Actor(token.name, token.id)

    @property
    def allowance(self) -> Allowance:
        """What the token may still ask."""
        return self.services.allowances.of(self.token.id)

    @functools.cached_property
    def loaders(self) -> Loaders:
        """What has been loaded so far."""
        return Loaders(self.scope)

    def forget(self) -> None:
        """Forget what has been loaded: the operation is over."""
        self.__dict__.pop("loaders", None)

    def anew(self) -> Context:
        """Make one that has loaded nothing: a subscription's next event wants newer data."""
        return Context(self.services, self.token)


Info: TypeAlias = strawberry.Info[Context, None]
