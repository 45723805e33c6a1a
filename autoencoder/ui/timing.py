"""The time of a task, measured live."""

from collections.abc import Callable
from time import perf_counter
from typing import Any


def fastest_ms(task: Callable[[], Any], n_calls: int) -> float:
    """The fastest of so many calls of a task, in milliseconds: whatever else the machine does makes them slower."""
    task()
    times_s = []
    for _ in range(n_calls):
        started = perf_counter()
        task()
        times_s.append(perf_counter() - started)
    return 1000 * min(times_s)
