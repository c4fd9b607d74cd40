"""The demo's files are the same for everyone, and about what the sample files name."""

from __future__ import annotations

import csv
import io

from api.demo.load import CASES, USERS, DemoFile, demo_files


def column(file: DemoFile, name: str) -> list[str]:
    """Return the cells of a file's column that are not blank."""
    rows = csv.DictReader(io.StringIO(file.content.decode(), newline=""))
    return [row[name] for row in rows if row[name]]


def test_same_for_everyone() -> None:
    """The files are as they were uploaded, line ends included; what must be unique in them is."""
    users, _, cases, _, _ = demo_files()
    names, tags = column(users, "username"), column(users, "host_tag_id")

    assert len(set(names)) == USERS
    assert len(set(tags)) == len(tags) < USERS
    assert len(set(column(cases, "tag_id"))) == CASES
    assert all(file.content.count(b"\n") == file.content.count(b"\r\n") for file in demo_files())


def test_samples_are_about_them() -> None:
    """The first case and the first two users are those that the sample files name."""
    users, _, cases, assignments, _ = demo_files()

    assert column(users, "host_tag_id")[:2] == ["jack-001", "jones-001"]
    assert column(cases, "tag_id")[0] == "trv-001"
    assert column(assignments, "user_id")[0] == "jones-001"
    assert "jack-001" not in column(assignments, "user_id")
