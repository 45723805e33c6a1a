import time

import pytest

from autoencoder import benchmark


def test_tasks_take_turns_and_are_compared_with_the_first():
    called = []

    def task(name, seconds):
        def run():
            called.append(name)
            time.sleep(seconds)

        return run

    figures = benchmark.take_turns({"short": task("s", 0.001), "long": task("l", 0.01)}, n_calls=20)
    assert "".join(called) == "sl" + "ssll" * benchmark.ROUNDS
    assert figures["short"]["ratio"] == 1
    assert figures["long"]["median_ms"] >= 10
    assert figures["long"]["ratio"] == pytest.approx(figures["long"]["median_ms"] / figures["short"]["median_ms"])
    assert figures["long"]["p99_ms"] >= figures["long"]["median_ms"]


def test_each_step_of_a_query_and_each_engine_is_measured(engine):
    steps = list(benchmark.ask_path(engine, n_calls=1))
    assert [step.split(":")[0] for step in steps] == ["whole", "preprocess", "encode", "search", "decode"]
    assert "ours" in benchmark.searches(500, 8)


def test_figures_become_a_table_for_each_thing_measured():
    text = benchmark.format_tables(
        {"speed": {"ours": {"median_ms": 0.06789, "ratio": 1.0}}, "size": {"x": {"mb": 1234}}}
    )
    assert text.splitlines() == [
        "| speed | median_ms | ratio |",
        "| --- | ---: | ---: |",
        "| ours | 0.0679 | 1 |",
        "",
        "| size | mb |",
        "| --- | ---: |",
        "| x | 1,234 |",
    ]
