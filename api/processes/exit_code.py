"""What the exit code of a process says, beside 0."""

from __future__ import annotations

EXIT_SOME_FAILED = 1
EXIT_REFUSED = 2
"""It can't do what was asked, or its settings are wrong: no other attempt would mend that."""
EXIT_INTERRUPTED = 130
