import json
import time

from autoencoder import benchmark
from autoencoder.__main__ import main


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
    assert figures["long"]["ratio"] > 1
    assert figures["long"]["p99_ms"] >= figures["long"]["median_ms"]


def test_each_step_of_a_query_and_each_engine_is_measured(engine):
    steps = list(benchmark.ask_path(engine, n_calls=1))
    assert [step.split(":")[0] for step in steps] == ["whole", "preprocess", "encode", "search", "decode"]
    engines = {"ours", "scikit-learn, brute force", "NumPy, full sort", "FAISS IndexFlatL2"}
    assert set(benchmark.searches(500, 8)) == engines
    encoded = benchmark.encoding(engine.space.encoder, engine.gallery.images[:20])
    assert min(row["images_per_s"] for row in encoded.values()) > 0


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


def test_the_verb_prints_tables_or_json(monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "benchmark", lambda engine: [("speed", {"ours": {"median_ms": 2.0}})])
    assert main(["benchmark"]) == 0
    assert "| ours | 2 |" in capsys.readouterr().out
    assert main(["benchmark", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["speed"] == {"ours": {"median_ms": 2.0}}
