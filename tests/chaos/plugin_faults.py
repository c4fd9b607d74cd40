"""A plugin that ends, or blocks, the worker that runs it, or wants to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.chaos.dataset import State
from tests.chaos.fault import Fault
from tests.chaos.known_file import KnownFile, changed, failed
from tests.chaos.run import Run, Running
from tests.chaos.site import SiteOptions

DEEDS = ("exit", "crash", "killed", "hang", "hold", "fork", "hoard")
_ROWS = 600
_PLUGIN = """
import ctypes, os, signal
from importers import Assign, CaseRef, Column, Importer, RoleRef, UserRef

DEEDS = {
    "exit": lambda: os._exit(9),
    "crash": lambda: ctypes.string_at(0),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),  # as one that eats all memory is
    "hang": lambda: ctypes.CDLL(None).sleep(3_600),
    "fork": os.fork,  # refused
    "hoard": lambda: bytes(1 << 45),  # refused, and the worker is replaced
    "hold": lambda: ctypes.PyDLL(None).sleep(3_600),  # nothing else of Python runs meanwhile
}

class Deadly(Importer):
    label = "Deadly"
    case_id = CaseRef(required=True, is_key=True, example="trv-001", help="The case.")
    user_id = UserRef(required=True, is_key=True, example="jack-001", help="The user.")
    role = RoleRef(required=True, example="staff", help="As what.")
    deed = Column[str](example="exit", help="How to end the worker.")

    def change(self, row):
        DEEDS.get(row.deed, str)()
        return Assign(case=row.case_id, user=row.user_id, role=row.role)
"""
_ON = "[importers.assign]\n[importers.modify]\n[importers.remove]\n[importers.deadly]\n"


def _install(folder: Path) -> Mapping[str, str]:
    """Install the plugin as pip would, and switch it on."""
    packages = folder / "packages"
    info = packages / "deadly-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (packages / "deadly_plugin.py").write_text(_PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[caseroll.importers]\ndeadly = deadly_plugin:Deadly\n")
    plugins = folder / "plugins.toml"
    plugins.write_text(_ON)
    return {"PYTHONPATH": str(packages), "CASEROLL_PLUGINS": str(plugins)}


async def _end_workers(run: Run) -> None:
    """Import a file with one deadly row, beside imports that must go on."""
    deed = run.random.choice(DEEDS)
    dataset = (await run.write("assign", _ROWS)).dataset
    file = KnownFile("deadly", dataset)
    pairs = [pair for pair in dataset.pairs("open", run.random) if pair not in dataset.present]
    for number, pair in enumerate(pairs[:_ROWS]):
        is_deadly = number == _ROWS // 2
        line = f"{pair[0]},{pair[1]},staff,{deed if is_deadly else ''}"
        created = changed("CREATED", pair, None, State("staff", notify=False))
        file.add(line, failed("IMPORTER_ERROR") if is_deadly else created)
    id_ = await run.send("deadly", dataset.prefix, file.content)
    run.strike()
    await run.begin("chunks")
    await run.ended()
    run.imports.append(Running(id_, file, file.rows))
    await run.finish()


FAULTS = [
    Fault(
        name="deadly-row",
        promise="A row that ends its worker each time fails alone; everything else goes on.",
        stage=_end_workers,
        rows=6_000,
        site=SiteOptions(environ=_install),
    ),
]
