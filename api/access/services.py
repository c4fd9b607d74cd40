"""What lives as long as an API process; every request uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.access.quota import Quotas
    from api.access.tokens import Tokens
    from api.broker import BrokerQueue
    from api.events.hub import Hub
    from api.settings import Settings
    from importers.plugins.registry import Registry
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
