"""Members of Dramatiq that are not in its documentation, and that Caseroll uses."""

from __future__ import annotations

import inspect
import threading
import time

import dramatiq
import pytest
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, MiddlewareError, Retries
from dramatiq.threading import Interrupt, raise_thread_exception


class StopError(Interrupt):
    """Stands for the interrupt of a plugin."""


def test_interrupt() -> None:
    """An exception can be raised in another thread, and no `except Exception` catches it."""
    caught: list[type[BaseException]] = []

    def work() -> None:
        try:
            while True:
                time.sleep(0.001)
        except StopError as error:
            caught.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    assert thread.ident
    raise_thread_exception(thread.ident, StopError)  # type: ignore[no-untyped-call]
    thread.join(5)

    assert caught == [StopError]
    assert not issubclass(Interrupt, Exception)


def test_event_loop_thread() -> None:
    """There is no event loop before a worker starts one; `run_coroutine` runs on it."""
    assert get_event_loop_thread() is None
    assert "coro" in inspect.signature(EventLoopThread.run_coroutine).parameters


def test_boot_fails() -> None:
    """A `MiddlewareError` of `before_worker_boot` keeps the worker from starting."""

    class Refuses(Middleware):
        def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
            raise MiddlewareError("no database")

    broker = StubBroker(middleware=[Refuses()])
    worker = dramatiq.Worker(broker, worker_threads=1)
    with pytest.raises(MiddlewareError, match="no database"):
        worker.start()


def test_parameters() -> None:
    """Workers and brokers take what Caseroll sets."""
    given = inspect.signature(RedisBroker).parameters

    assert {"client", "namespace", "maintenance_chance", "middleware"} <= given.keys()
    assert isinstance(dramatiq.Worker(StubBroker()).queue_prefetch, int)


def test_fetch() -> None:
    """A consumer fetches by `do_fetch`, which the broker dispatches to a script in Redis."""
    assert "do_fetch" not in vars(RedisBroker)
    assert "do_fetch" in inspect.getsource(RedisBroker.consumer_class.fget(None).__next__)  # type: ignore[attr-defined]
    assert list(inspect.signature(RedisBroker._dispatch).parameters) == ["self", "command"]


def test_retry_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An actor that raises `Retry` is called again, and no traceback is logged."""
    broker = StubBroker(middleware=[Retries(min_backoff=1, max_backoff=1)])
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise dramatiq.Retry("not yet")

    dramatiq.actor(work, broker=broker).send()
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=10)
    worker.start()
    broker.join("default")
    worker.join()
    worker.stop()

    assert len(calls) == 3
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
