"""Exit codes besides 0."""

from __future__ import annotations

EXIT_SOME_FAILED = 1
EXIT_REFUSED = 2
"""The arguments or settings are wrong, so that another attempt would fail as well."""
EXIT_HELD = 3
"""An import waits until it is released or cancelled."""
EXIT_NO_MEMORY = 12
"""A worker has met its limit of memory, and ended after the work that it had begun."""
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141
"""The program that read the output has ended before it was written, as `head` does."""
