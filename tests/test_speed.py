import json
import time

import pytest

from autoencoder.__main__ import main
from autoencoder.measure import large, speed


def test_tasks_take_turns_and_are_compared_with_the_first():
    called = []

    def task(name, seconds):
        def run():
            called.append(name)
            time.sleep(seconds)

        return run

    figures = speed.take_turns({"short": task("s", 0.001), "long": task("l", 0.01)}, n_calls=20)
    assert "".join(called) == "sl" + "ssll" * speed.ROUNDS
    assert figures["short"]["ratio"] == 1
    assert figures["long"]["median_ms"] >= 10
    assert figures["long"]["ratio"] > 1
    assert figures["long"]["p99_ms"] >= figures["long"]["median_ms"]


def test_each_step_of_a_query_and_each_engine_is_measured(engine):
    steps = list(speed.query_steps(engine, n_calls=1))
    assert [step.split(":")[0] for step in steps] == ["whole", "preprocess", "encode", "search", "decode"]
    engines = {"ours", "scikit-learn, brute force", "NumPy, full sort", "FAISS IndexFlatL2"}
    assert set(speed.searches(500, 8)) == engines
    encoded = speed.encoding(engine.space.encoder, engine.gallery.images[:20])
    assert min(row["images_per_s"] for row in encoded.values()) > 0


def test_figures_become_a_table_for_each_thing_measured():
    text = speed.format_tables({"speed": {"ours": {"median_ms": 0.06789, "ratio": 1.0}}, "size": {"x": {"mb": 1234}}})
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
    monkeypatch.setattr(speed, "benchmark", lambda engine: [("speed", {"ours": {"median_ms": 2.0}})])
    assert main(["benchmark"]) == 0
    assert "| ours | 2 |" in capsys.readouterr().out
    assert main(["benchmark", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["speed"] == {"ours": {"median_ms": 2.0}}


def test_the_exact_search_is_measured_in_a_file(tmp_path):
    figures = large.exact(2000, tmp_path)
    assert figures["file_mb"] == pytest.approx(2000 * 128 / 1e6, rel=0.01)
    assert 0 < figures["median_ms"] <= figures["p99_ms"]
    assert not list(tmp_path.iterdir())


def test_what_larger_galleries_take_is_computed_from_the_largest_measured():
    rows = large.expected({1_000_000: {"median_ms": 4.0}, 10_000_000: {"median_ms": 50.0}})
    assert list(rows) == [
        "1,000,000, measured",
        "10,000,000, measured",
        "100,000,000, computed",
        "1,000,000,000, computed",
    ]
    assert [row["query_in_memory_s"] for row in rows.values()] == pytest.approx([0.004, 0.05, 0.5, 5])
    assert rows["1,000,000,000, computed"]["latents_gb"] == 128
    assert rows["1,000,000,000, computed"]["images_gb"] == 784
    assert rows["1,000,000,000, computed"]["query_from_disk_s"] == 128
