"""The page of figures: `python -m bench.page` writes the newest figures to docs/performance.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figure import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
_TABLE = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)


def with_figures(page: str, figures: Sequence[Mapping[str, Any]]) -> str:
    """Return the page with its table replaced by one of these figures."""
    lines = "\n".join(_lines(figures))
    return _TABLE.sub(lambda _: f"\n{lines}\n\n", page)


def newest_figures() -> list[dict[str, Any]]:
    """Read the newest figures, those of the last `docs/performance-DATE.json`."""
    found: list[dict[str, Any]] = json.loads(max(DOCS.glob("performance-*.json")).read_text())
    return found


def _lines(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| what | value | lowest to highest | n | to reach | |"
    yield "|---|---:|---:|---:|---:|---|"
    scenario = None
    for figure in figures:
        if figure["scenario"] != scenario:
            scenario = figure["scenario"]
            yield f"| **{scenario}**<br>`{figure['command']}`, {figure['date']} | | | | | |"
        yield _line(figure)


def _line(figure: Mapping[str, Any]) -> str:
    unit, samples = figure["unit"], figure["samples"] or [figure["value"]]
    spread = f"{quantity(min(samples), '')} to {quantity(max(samples), unit)}"
    sign = "≥" if figure["is_at_least"] else "≤"
    bar = "" if figure["bar"] is None else f"{sign} {quantity(figure['bar'], unit)}"
    verdict = {True: "met", False: "**missed**", None: ""}[figure["is_met"]]
    value = quantity(figure["value"], unit)
    return f"| {figure['what']} | {value} | {spread} | {len(samples)} | {bar} | {verdict} |"


if __name__ == "__main__":
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), newest_figures()), "utf-8")
