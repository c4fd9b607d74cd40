"""A site on which importers of `examples/` are switched on."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.site import SiteOptions

_EXAMPLES = Path(__file__).parents[2] / "examples"
_BUILT_IN = ("assign", "modify", "remove", "sync")


def site_with(*examples: str) -> SiteOptions:
    """Return options of a site with the built-in importers and those of examples."""
    return SiteOptions(environ=lambda folder: _install(folder, examples))


def _install(folder: Path, examples: tuple[str, ...]) -> Mapping[str, str]:
    """Install examples as pip would, and switch them on."""
    packages, paths = folder / "packages", []
    for name in examples:
        project = tomllib.loads((_EXAMPLES / name / "pyproject.toml").read_text())["project"]
        info = packages / f"{name.replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {project['version']}\n"
        )
        points = project["entry-points"]["caseroll.importers"].items()
        lines = [f"{key} = {target}" for key, target in points]
        (info / "entry_points.txt").write_text("\n".join(["[caseroll.importers]", *lines, ""]))
        paths.append(str(_EXAMPLES / name / "src"))
    plugins = folder / "plugins.toml"
    plugins.write_text("".join(f"[importers.{name}]\n" for name in (*_BUILT_IN, *examples)))
    path = os.pathsep.join([str(packages), *paths])
    return {"PYTHONPATH": path, "CASEROLL_PLUGINS": str(plugins)}
