"""What can be imported: each type with its columns and its sample, and the checks of every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.console.visit import Visit


async def show_import_types(visit: Visit) -> Response:
    """Show what is switched on, and to admins also what is broken."""
    data = await visit.run("import_types")
    types, readers, checks = data["importTypes"], data["readers"], data["validators"]
    return visit.page(
        "import_types.html",
        data=data,
        types=[{**each, "workbook": _workbook(each)} for each in types if each["state"] == "ON"],
        readers=[each for each in readers if each["state"] == "ON"],
        checks=[each for each in checks if each["state"] == "ON"],
        broken=[each for each in [*types, *readers, *checks] if each["state"] == "BROKEN"],
    )


def _workbook(kind: dict[str, Any]) -> str:
    """Return the name of a type's sample as a workbook."""
    return f"{kind['sampleTemplate']['filename'].removesuffix('.csv')}.xlsx"
