"""All faults, by name."""

from __future__ import annotations

from tests.chaos import (
    api_faults,
    broker_faults,
    change_faults,
    conflict_faults,
    database_faults,
    host_faults,
    leaver_faults,
    plugin_faults,
    webhook_faults,
    worker_faults,
)
from tests.chaos.fault import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for module in (
        worker_faults,
        database_faults,
        broker_faults,
        api_faults,
        host_faults,
        conflict_faults,
        leaver_faults,
        change_faults,
        plugin_faults,
        webhook_faults,
    )
    for fault in module.FAULTS
}
