"""What every resolver gets: who asks, and everything that answers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from api.access.loaders import Loaders
from api.access.scope import Scope
from models.audit import Actor

if TYPE_CHECKING:
    from api.access.quota import Quota
    from api.access.services import Services
    from models.access import TokenRecord


class Context:
    """What lives as long as one operation.

    Args:
        services: what lives longer.
        token: who asks; decides which app is seen.
    """

    def __init__(self, services: Services, token: TokenRecord) -> None:
        self.services = services
        self.token = token
        self.scope = Scope(services.pool, token.app_id, self.quota.connections)
        self.actor = Actor(token.name, token.id)

    @property
    def quota(self) -> Quota:
        """What the token may have of this process."""
        return self.services.quotas.for_token(self.token.id)

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
