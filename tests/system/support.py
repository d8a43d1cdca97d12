"""Waiting, doing at once, and ports."""

import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def tool(name: str) -> pathlib.Path:
    """A program of the Python packages of this interpreter, whatever is on PATH."""
    return pathlib.Path(sys.executable).parent / name


def until(condition: Callable[[], T], what: str | Callable[[], str], seconds: float = 60) -> T:
    """Waits for a condition and returns the value that fulfils it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"not within {seconds} s: {said}")
        time.sleep(0.02)
    return value


def used_ns(pids: Iterable[int]) -> int:
    """Processor time of these processes, by the scheduler's own count."""
    tasks = (f for pid in pids for f in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(task.read_text().split()[0]) for task in tasks)


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Runs the calls at the same moment, each in a thread of its own."""
    calls = list(calls)
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


PORTS = range(20000, 30000)  # below those that the kernel hands out
drawn: set[int] = set()
drawn_by_all = (pathlib.Path(tempfile.gettempdir()) / f"meetlink-ports-{os.getuid()}").open("ab")


def free_port() -> int:
    """One that no other process of the tests has drawn, listening by now or not; a lock on a byte
    of a file stands for each, and falls with the process."""
    while True:
        port = random.choice(PORTS)
        with contextlib.suppress(BlockingIOError):
            fcntl.lockf(drawn_by_all, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            if port not in drawn and not listens(port):
                drawn.add(port)
                return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
