"""`caseroll sample`: the sample file of an import type."""

from __future__ import annotations

import asyncio
from typing import IO

import click

from api.cli.client import find_api
from api.cli.failure import RefusedError
from api.cli.folder import DataFolder, folder_option

_SAMPLE = """
query ($type: String!) { sampleTemplate(type: $type) { content } importTypes { key } }
"""


@click.command()
@click.argument("type_", metavar="TYPE")
@click.option("-o", "--output", type=click.File("wb", lazy=True), default="-", help="A file.")
@folder_option
def sample(type_: str, output: IO[bytes], folder: DataFolder) -> None:
    """Write the sample file of an import TYPE: its header and one example row."""
    data = asyncio.run(find_api(folder).execute(_SAMPLE, type=type_))
    if data["sampleTemplate"] is None:
        known = ", ".join(each["key"] for each in data["importTypes"])
        raise RefusedError(f"there is no import type {type_!r}; the types are: {known}.")
    output.write(data["sampleTemplate"]["content"].encode())
