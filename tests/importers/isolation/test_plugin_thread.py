"""Plugins' code in a thread of its own, with a loop that the server does not depend on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from importers.isolation.guard import TooSlowError
from importers.isolation.plugin_thread import CalledElsewhere, PluginThread


@pytest.fixture
async def thread() -> AsyncIterator[PluginThread]:
    made = PluginThread()
    yield made
    made.close()


async def test_a_thread_of_its_own(thread: PluginThread) -> None:
    """All coroutines run in one other thread, and their results and errors come back."""

    async def ident() -> int:
        return threading.get_ident()

    async def fail() -> None:
        raise LookupError("no")

    found = {await thread.run(ident(), seconds=5) for _ in range(3)}

    assert len(found) == 1
    assert found != {threading.get_ident()}
    with pytest.raises(LookupError, match="no"):
        await thread.run(fail(), seconds=5)


async def test_calls_of_the_server(thread: PluginThread) -> None:
    """What the server lends runs in the server's loop, several calls at once as well."""

    class Directory:
        app_id = 7

        async def ident(self) -> int:
            await asyncio.sleep(0)
            return threading.get_ident()

    directory = CalledElsewhere(Directory())

    async def ask() -> list[int]:
        return [directory.app_id, *await asyncio.gather(directory.ident(), directory.ident())]

    assert await thread.run(ask(), seconds=5) == [7, *2 * [threading.get_ident()]]


async def test_a_thread_that_hangs(thread: PluginThread, caplog: pytest.LogCaptureFixture) -> None:
    """It is left alone, and the next coroutine gets another one."""
    release = threading.Event()

    async def hang() -> None:
        release.wait(30)

    async def answer() -> int:
        return 1

    with pytest.raises(TooSlowError):
        await thread.run(hang(), seconds=0.05)

    assert await thread.run(answer(), seconds=5) == 1
    assert "their thread is replaced" in caplog.text
    release.set()


async def test_many_threads_that_hang(
    thread: PluginThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of them, nothing is tried any more."""
    monkeypatch.setattr("importers.isolation.plugin_thread.MOST_HUNG", 1)
    release = threading.Event()

    async def hang() -> None:
        release.wait(20)

    with pytest.raises(TooSlowError, match="longer than"):
        await thread.run(hang(), seconds=0.1)
    with pytest.raises(TooSlowError, match="restart this process"):
        await thread.run(hang(), seconds=0.1)
    release.set()
