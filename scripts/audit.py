"""Ask an advisory service about the packages that Caseroll runs with.

Only a known vulnerability fails the check. If no service answers in time, one line says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import requires, version
from tempfile import NamedTemporaryFile
from typing import Any

from packaging.requirements import Requirement

_SECONDS = 20
_EXTRAS = frozenset({"cli", "local"})
_PIP_AUDIT = ("-m", "pip_audit", "--no-deps", "--disable-pip", "--format=json", "--timeout=5")


def main() -> int:
    """Print what is known, and return the exit code."""
    pins = sorted(f"{name}=={version(name)}" for name in runtime_packages("caseroll", _EXTRAS))
    try:
        found = audit(pins)
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        print(f"not audited: no advisory service answers ({type(error).__name__}).")
        return 0
    answered = [each for each in found if "skip_reason" not in each]
    if not answered:
        print("not audited: the advisory service knows none of the packages.")
        return 0
    print(f"{len(answered)} of {len(pins)} packages audited.")
    problems = [problem for each in answered for problem in describe(each)]
    print("\n".join(problems) or "No known vulnerabilities.")
    return 1 if problems else 0


def runtime_packages(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Collect the names of a package's requirements on this machine, direct and indirect."""
    found: set[str] = set()
    for text in requires(name) or ():
        need = Requirement(text)
        is_wanted = need.marker is None or any(
            need.marker.evaluate({"extra": extra}) for extra in extras or {""}
        )
        if is_wanted and need.name not in found:
            found |= {need.name, *runtime_packages(need.name, frozenset(need.extras))}
    return found


def audit(pins: list[str]) -> list[dict[str, Any]]:
    """Return the service's answer for each package.

    Raises:
        TimeoutExpired, OSError, ValueError: there is no answer.
    """
    with NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins))
        file.flush()
        command = [
            sys.executable,
            *_PIP_AUDIT,
            "--progress-spinner=off",
            f"--requirement={file.name}",
        ]
        result = subprocess.run(
            command, capture_output=True, timeout=_SECONDS, check=False, text=True
        )
    return list(json.loads(result.stdout)["dependencies"])


def describe(package: dict[str, Any]) -> list[str]:
    """Return a line for each vulnerability of a package."""
    return [
        f"{package['name']} {package['version']}: {each['id']}, "
        f"fixed in {', '.join(each['fix_versions']) or 'no version yet'}"
        for each in package["vulns"]
    ]


if __name__ == "__main__":
    sys.exit(main())
