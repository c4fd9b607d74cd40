"""Writes the codes of files and rows into docs/api.md, with the params of their messages.

The codes are those in the tables of docs/files.md, the params those that the code names.

Run it as `python -m scripts.error_codes`; `make reference` does.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.error_params import params_by_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
API, FILES = DOCS / "api.md", DOCS / "files.md"
_BEGINNING = (
    "The `errors` of a row, the `errors` of an import, and the `userErrors` of `createImport` for "
    "a file that is refused as a whole have these codes; [files.md](files.md#errors) says what "
    "they mean. `params` are what a message is made of beside `value` and `suggestion`, for "
    "clients that speak another language; an error has those that its message has. Whole numbers "
    "are in digits alone, lists have commas. Plugins have codes and params of their own."
)
_LIST = re.compile(r"(?<=\n### Codes of files and rows\n\n).*?\n(?=\n#|\Z)", re.DOTALL)
# A cell with nothing but codes, the first of its row.
_CELL = re.compile(r"^ *\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", re.MULTILINE)


def explained_codes(files: str) -> list[str]:
    """Return the codes in the tables of files.md, sorted."""
    return sorted({code for cell in _CELL.findall(files) for code in re.findall("[A-Z_]+", cell)})


def known_params() -> Mapping[str, Sequence[str]]:
    """Return the params of each code that importers, readers and uploads can give."""
    upload = ROOT / "api/schema/uploads/import_input.py"
    return params_by_code([*sorted((ROOT / "importers").rglob("*.py")), upload])


def with_codes(api: str, files: str, params: Mapping[str, Sequence[str]]) -> str:
    """Return the text of api.md with the codes that files.md explains."""
    wrapped = textwrap.fill(_BEGINNING, 120, break_long_words=False, break_on_hyphens=False)
    rows = [
        f"| `{code}` | {', '.join(f'`{name}`' for name in params.get(code, ()))} |"
        for code in explained_codes(files)
    ]
    table = "\n".join(["| code | params |", "|---|---|", *rows])
    return _LIST.sub(lambda _: f"{wrapped}\n\n{table}\n", api)


def main() -> None:
    api, files = API.read_text(encoding="utf-8"), FILES.read_text(encoding="utf-8")
    API.write_text(with_codes(api, files, known_params()), encoding="utf-8")


if __name__ == "__main__":
    main()
