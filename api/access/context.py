"""What every resolver gets: who asks, and what answers, for a process and for an operation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from api.access.loaders import Loaders
from api.access.scope import Scope
from api.errors import ApiError
from importers.validation.mutation import MutationJudges
from models.app import Permission
from models.audit import Actor

if TYPE_CHECKING:
    from api.access.authentication import Tokens
    from api.access.quota import Quota, Quotas
    from api.broker import BrokerQueue
    from api.events.hub import Hub
    from api.settings import Settings
    from importers.isolation.plugin_thread import PluginThread
    from importers.plugins.registry import Registry
    from models.access import TokenRecord
    from models.app_pool import AppPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What lives as long as the process; SIGHUP replaces it by one with another registry."""

    settings: Settings
    registry: Registry
    queue: BrokerQueue
    hub: Hub
    tokens: Tokens
    pool: AppPool
    quotas: Quotas
    plugin_thread: PluginThread

    @property
    def judges(self) -> MutationJudges:
        """The validators that are on, to judge mutations."""
        return MutationJudges(self.registry.validators, self.plugin_thread)


class Context:
    """What lives as long as one operation; its token decides which app is seen."""

    def __init__(self, services: Services, token: TokenRecord) -> None:
        self.services = services
        self.token = token
        self.scope = Scope(services.pool, token.app_id, self.quota.connections)
        self.actor = Actor(token.name, token.id)

    @property
    def quota(self) -> Quota:
        """What the token may have of this process."""
        return self.services.quotas.for_token(self.token.id)

    @cached_property
    def loaders(self) -> Loaders:
        """What has been loaded so far."""
        return Loaders(self.scope)

    def require_admin(self, what: str) -> None:
        """Refuse tokens that may only read.

        Args:
            what: what only ADMIN tokens may do.

        Raises:
            ApiError: the token is a viewer's.
        """
        if self.token.permission is not Permission.ADMIN:
            raise ApiError("FORBIDDEN", f"Only ADMIN tokens may {what}.")

    def forget(self) -> None:
        """Forget what has been loaded: a mutation may change it, or the operation is over."""
        self.__dict__.pop("loaders", None)

    def anew(self) -> Context:
        """Make one that has loaded nothing: a subscription's next event wants newer data."""
        return Context(self.services, self.token)


Info: TypeAlias = strawberry.Info[Context, None]
