"""The version of the plugin SDK, and which plugins fit it."""

from __future__ import annotations

import re

SDK_VERSION = "1.0"
"""Major and minor version of what `importers` and `importers.testing` offer: a new major version
takes something away, a new minor version adds something."""

_FORM = re.compile(r"(\d+)\.(\d+)", re.ASCII)


def unfit(wanted: str | None, offered: str = SDK_VERSION) -> str | None:
    """Say why a plugin does not fit this SDK; None when it does, or does not say what it needs.

    Args:
        wanted: the version that the plugin was written for.
    """
    if wanted is None:
        return None
    found = _FORM.fullmatch(wanted) if isinstance(wanted, str) else None
    if not found:
        return f"its 'sdk' must be a version such as '{offered}', not {wanted!r}"
    major, minor = map(int, found.groups())
    our_major, our_minor = map(int, offered.split("."))
    if major == our_major and minor <= our_minor:
        return None
    return f"it was written for version {wanted} of the SDK, and this is {offered}"
