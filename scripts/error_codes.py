"""Writes the codes of files and rows into docs/api.md, as the tables of docs/files.md have them.

Run it as `python -m scripts.error_codes`; `make reference` does.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
API, FILES = DOCS / "api.md", DOCS / "files.md"
_BEGINNING = (
    "The `errors` of a row, the `errors` of an import, and the `userErrors` of `createImport` for "
    "a file that is refused as a whole have these codes; [files.md](files.md#errors) says what "
    "they mean: "
)
_LIST = re.compile(r"(?<=\n### Codes of files and rows\n\n).*?\n(?=\n|\Z)", re.DOTALL)
# A cell with nothing but codes, the first of its row.
_CELL = re.compile(r"^ *\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", re.MULTILINE)


def explained_codes(files: str) -> list[str]:
    """Return the codes in the tables of files.md, sorted."""
    return sorted({code for cell in _CELL.findall(files) for code in re.findall("[A-Z_]+", cell)})


def with_codes(api: str, files: str) -> str:
    """Return the text of api.md with the codes that files.md explains."""
    text = _BEGINNING + ", ".join(f"`{code}`" for code in explained_codes(files)) + "."
    wrapped = textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)
    return _LIST.sub(lambda _: wrapped + "\n", api)


def main() -> None:
    files = FILES.read_text(encoding="utf-8")
    API.write_text(with_codes(API.read_text(encoding="utf-8"), files), encoding="utf-8")


if __name__ == "__main__":
    main()
