"""Exit codes besides 0."""

from __future__ import annotations

EXIT_SOME_FAILED = 1
EXIT_REFUSED = 2
"""The arguments or settings are wrong, so that another attempt would fail as well."""
EXIT_HELD = 3
"""An import waits until it is released or cancelled."""
EXIT_INTERRUPTED = 130
