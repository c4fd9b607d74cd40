"""The thread that writes workbooks."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

# One for all downloads: each thread that computes takes time from the event loop.
_thread = ThreadPoolExecutor(1, thread_name_prefix="workbook")


async def in_workbook_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in the thread, when those that came before have returned."""
    call = partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_thread, call)
