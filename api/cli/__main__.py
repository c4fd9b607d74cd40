"""Let `python -m api.cli` be the `caseroll` command."""

from api.cli import main

main()
