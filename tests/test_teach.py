import gzip
import json
from itertools import chain, cycle, islice, pairwise

import numpy as np
import pytest
from naive import full_sort

from autoencoder.__main__ import main
from autoencoder.build import teach as teach_module
from autoencoder.build.teach import SEEDS, Round, Taught, format_lesson, hits_of, stages_of, teach
from autoencoder.data import DataError, load_drawn
from autoencoder.query.search import NearestNeighbors


def on_a_line(positions):
    return np.array(positions, np.float32)[:, None]


def sevens(positions=(0, 1, 2, 3)):
    """A gallery of 7s on a line."""
    labels = np.full(len(positions), 7, np.uint8)
    return Taught("7s", labels, NearestNeighbors(on_a_line(positions)))


def round_of(added, judged):
    return Round(np.array(added, np.int64), np.array(judged, np.int64))


# Three 1s far from the gallery's 7s, and a 7 among them.
DRAWN, LABELS = on_a_line([10, 11, 12, 1.5]), np.array([1, 1, 1, 7], np.uint8)


@pytest.mark.parametrize(
    ("added", "judged", "hits"),
    [
        ([], [0, 1, 2, 3], [0, 0, 0, 4]),  # the gallery has 7s alone
        ([0], [1, 2, 3], [1, 1, 4]),
        ([0, 1], [2, 3], [2, 4]),  # 12 finds 11, 10, 3 and 2; 1.5 finds 1, 2, 0 and 3
        ([1, 0], [3, 2], [4, 2]),
        ([0, 1, 2, 3], [0, 1, 2, 3], [2, 2, 2, 4]),  # 12 would find itself, too, if it were not left out
    ],
)
def test_a_drawing_finds_the_gallery_s_digits_and_those_that_were_added(added, judged, hits):
    assert hits_of(sevens(), DRAWN, LABELS, round_of(added, judged)).tolist() == hits


def test_the_answers_are_those_of_a_full_sort():
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(150, 3)).astype(np.float32), rng.integers(0, 3, 150).astype(np.uint8)
    gallery = Taught("random", labels[:50], NearestNeighbors(vectors[:50]))
    everyone = np.arange(100)
    for taught in (Round(everyone[:0], everyone), Round(everyone[60:], everyone[:60]), Round(everyone, everyone)):
        rows = np.concatenate([np.arange(50), 50 + taught.added])
        expected = []
        for drawing in 50 + taught.judged:
            _, found = full_sort(vectors[rows], vectors[drawing], 4, drawing if taught.leaves_out else None)
            expected.append(list(labels[rows][found]).count(labels[drawing]))
        assert hits_of(gallery, vectors[50:], labels[50:], taught).tolist() == expected


def test_in_a_random_order_the_first_are_added_and_all_others_are_judged():
    none, *between, everyone = stages_of(700, None, SEEDS)
    assert [(taught.n_added, len(taught.judged)) for taught in none] == [(0, 700)]
    assert [(taught.n_added, len(taught.judged)) for taught in everyone] == [(699, 700)]
    assert [[taught.n_added for taught in rounds] for rounds in between] == [[30] * 5, [100] * 5, [300] * 5]
    for taught in chain(*between):
        assert sorted([*taught.added, *taught.judged]) == list(range(700))
    assert len({tuple(taught.added) for taught in between[0]}) == 5
    for few, more in pairwise(between):
        for one, other in zip(few, more, strict=True):
            assert one.added.tolist() == other.added[: one.n_added].tolist()


def test_a_seed_s_order_is_always_the_same():
    for writers in (None, np.arange(100) % 7):
        for one, other in zip(*(chain(*stages_of(100, writers, SEEDS)) for _ in range(2)), strict=True):
            assert one.added.tolist() == other.added.tolist()
            assert one.judged.tolist() == other.judged.tolist()


def test_as_many_are_left_to_judge_as_are_added():
    assert [rounds[0].n_added for rounds in stages_of(199, None, SEEDS)] == [0, 30, 198]
    assert [rounds[0].n_added for rounds in stages_of(200, None, SEEDS)] == [0, 30, 100, 199]


def test_a_writer_s_drawings_are_judged_or_added_but_not_both():
    writers = np.repeat([0, 1, 2, 3, 4], [40, 50, 60, 70, 80])
    stages = stages_of(300, writers, SEEDS)
    fewest = min(len(taught.added) for taught in stages[-1])
    assert [[taught.n_added for taught in rounds] for rounds in stages] == [[n] * 5 for n in (0, 30, 100, fewest)]
    for number, first in enumerate(stages[0]):
        for rounds in stages:
            taught = rounds[number]
            assert taught.judged.tolist() == first.judged.tolist()
            assert len(set(writers[taught.judged])) == 2  # half of five, rounded down
            assert not set(writers[taught.judged]) & set(writers[taught.added])
            assert len(set(taught.added.tolist())) == len(taught.added)
    assert len({tuple(taught.judged) for taught in stages[0]}) > 1
    # The seed with the fewest adds all drawings of its three writers.
    assert any(len(taught.judged) + fewest == 300 for taught in stages[-1])


@pytest.mark.parametrize("n", [1, 59])
def test_too_few_drawings_are_refused(n):
    with pytest.raises(DataError, match="at least 30 drawings to add and 30 others to judge"):
        stages_of(n, None, SEEDS)
    assert stages_of(60, None, SEEDS)


@pytest.mark.parametrize("writers", [np.zeros(100, np.int64), np.repeat([0, 1], [29, 71])])
def test_one_writer_is_not_enough_and_neither_are_a_writer_s_few_drawings(writers):
    with pytest.raises(DataError, match="at least 30 drawings to add and 30 others to judge"):
        stages_of(100, writers, SEEDS)


def test_more_than_a_gallery_takes_is_refused():
    with pytest.raises(DataError, match="at most 10,000 drawings, and here are 10,001"):
        stages_of(10_001, None, SEEDS)


def test_a_gallery_learns_what_it_is_shown():
    positions = np.concatenate([100 + np.arange(50), 900 + np.arange(50)]).astype(np.float32)
    labels = np.repeat(np.array([1, 2], np.uint8), 50)
    results = teach({"sevens": sevens()}, positions[:, None], labels)
    assert (results["drawings"], results["writers"], results["orders"]) == (100, None, 5)
    gallery = results["galleries"]["sevens"]
    assert gallery["title"] == "7s"
    none, thirty, everyone = gallery["stages"]
    assert (none["added"], none["judged"], none["precision_at_4"], none["deviation"]) == (0, [100], 0, None)
    assert (thirty["added"], thirty["judged"], thirty["precision_at_4"]) == (30, [70] * 5, 1)
    assert thirty["by_digit"] == {digit: {"precision_at_4": 1, "deviation": 0} for digit in ("1", "2")}
    assert (everyone["added"], everyone["judged"], everyone["precision_at_4"]) == (99, [100], 1)


def test_a_stage_is_the_mean_of_its_rounds_and_their_standard_deviation(monkeypatch):
    rounds = [round_of([0, 1], [2]), round_of([0, 1], [3, 2]), round_of([1], [3])]
    monkeypatch.setattr(teach_module, "stages_of", lambda *_: [rounds])
    (stage,) = teach({"sevens": sevens()}, DRAWN, LABELS)["galleries"]["sevens"]["stages"]
    assert stage["judged"] == [1, 2, 1]
    assert stage["precision_at_4"] == 0.75  # of 2/4, (4 + 2)/8 and 4/4
    assert stage["deviation"] == pytest.approx(0.25)  # the root of (0.25² + 0 + 0.25²) / 2
    assert stage["by_digit"]["1"] == {"precision_at_4": 0.5, "deviation": 0}  # in the first two
    assert stage["by_digit"]["7"] == {"precision_at_4": 1, "deviation": 0}  # in the last two


def stage(added, judged, mean, deviation, of_1s):
    by_digit = {"1": {"precision_at_4": of_1s, "deviation": deviation}} if of_1s is not None else {}
    return {"added": added, "judged": judged, "precision_at_4": mean, "deviation": deviation, "by_digit": by_digit}


def test_the_table_has_a_column_a_stage_and_two_rows_a_gallery():
    first = [stage(0, [2500], 0.5, None, 0.25), stage(1000, [1500, 1600], 0.71234, 0.01234, 0.6)]
    second = [stage(0, [2500], 0.8, None, None), stage(1000, [1500, 1600], 0.9, 0.01, None)]
    galleries = {"a": {"title": "test", "stages": first}, "b": {"title": "all", "stages": second}}
    lines = format_lesson({"drawings": 2500, "writers": None, "orders": 2, "galleries": galleries}).splitlines()
    assert lines[:-1] == [
        "| drawings added | none | 1,000 |",
        "| --- | --- | --- |",
        "| drawings judged | 2,500 | 1,500 to 1,600 |",
        "| test: P@4 | 0.500 | 0.712 ± 0.012 |",
        "| of the 1s | 0.250 | 0.600 ± 0.012 |",
        "| all: P@4 | 0.800 | 0.900 ± 0.010 |",
        "",
    ]
    assert "does not say who wrote" in lines[-1]
    known = format_lesson({"drawings": 2500, "writers": 5, "orders": 2, "galleries": galleries})
    assert "of 2 of the 5 writers" in known
    assert "does not say" not in known


@pytest.fixture
def written(tmp_path, drawings):
    """Write 70 drawings to a file, each with what is given for it besides."""

    def write(besides=({},)):
        path = tmp_path / "drawn.jsonl.gz"
        seventy = islice(((digit, of[i % len(of)]) for i in range(70) for digit, of in sorted(drawings.items())), 70)
        with gzip.open(path, "wt") as file:
            for number, ((digit, strokes), more) in enumerate(zip(seventy, cycle(besides), strict=False)):
                turned = [[[float(x) + number * float(y) / 500, -float(y)] for x, y in stroke] for stroke in strokes]
                file.write(json.dumps({"digit": digit, "strokes": turned} | more) + "\n")
        return str(path)

    return write


@pytest.fixture
def without_mnist(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_NPZ", str(tmp_path / "none"))


@pytest.mark.usefixtures("without_mnist")
def test_the_bundled_digits_learn_where_there_is_no_mnist(written, drawings, capsys):
    assert main(["evaluate", "--teach", written(), "--json"]) == 0
    printed = capsys.readouterr()
    results = json.loads(printed.out)
    assert (results["drawings"], results["writers"]) == (70, None)
    assert list(results["galleries"]) == ["digits"]
    stages = results["galleries"]["digits"]["stages"]
    assert [stage["added"] for stage in stages] == [0, 30, 69]
    assert list(stages[0]["by_digit"]) == [str(digit) for digit in sorted(drawings)]
    assert "without MNIST" in printed.err


@pytest.mark.usefixtures("without_mnist")
def test_where_the_file_names_writers_others_are_judged(written, capsys):
    path = written([{"writer": 1}, {"writer": 2}])
    assert main(["evaluate", "--teach", path, "--drawn-percent", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| drawings added | none | 30 | 35 |"
    assert lines[2] == "| drawings judged | 35 | 35 | 35 |"
    assert lines[-1].startswith("Mean over 5 random orders")
    assert "1 of the 2 writers" in lines[-1]


def test_a_file_in_which_some_lines_name_no_writer_is_refused(written, capsys):
    assert main(["evaluate", "--teach", written([{"writer": 1}, {}])]) == 1
    assert "expected a writer in each line or in none" in capsys.readouterr().err


@pytest.mark.mnist
@pytest.mark.pen_digits
def test_mnist_learns_from_pen_digits(engine, drawings, tmp_path):
    path = tmp_path / "some.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for digit, of in drawings.items():
            for strokes in of[:70]:
                file.write(json.dumps({"digit": digit, "strokes": [(s * [1, -1]).tolist() for s in strokes]}) + "\n")
    drawn = load_drawn(path)
    engines = {"mnist": engine.unseen, "mnist_all": engine}
    galleries = {name: Taught(of.gallery.title, of.gallery.labels, of.nearest) for name, of in engines.items()}
    results = teach(galleries, engine.space.transform(drawn.images), drawn.labels, seeds=range(2))
    for name in galleries:
        stages = results["galleries"][name]["stages"]
        assert [stage["added"] for stage in stages] == [0, 30, 100, 300, 699]
        for figures in (stages, [stage["by_digit"]["1"] for stage in stages]):
            none, _, _, three_hundred, everyone = [of_stage["precision_at_4"] for of_stage in figures]
            assert none < three_hundred < everyone
