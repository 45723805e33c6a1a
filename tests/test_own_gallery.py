"""A gallery of one's own on the pages and at the command line."""

import json

import numpy as np
import pytest
from pages import asked, headlines, labels, lesson, neighbor_buttons, search_page
from PIL import Image

from autoencoder.__main__ import main
from autoencoder.data import UNLABELED
from autoencoder.query.search import SearchError
from autoencoder.ui import loading, needs

pytestmark = pytest.mark.usefixtures("strokes")


@pytest.fixture(scope="module")
def pictures(bundled, tmp_path_factory):
    """A folder of scans, dark on light, each in a subfolder of its digit, and one that is damaged."""
    folder = tmp_path_factory.mktemp("scans")
    for index in range(60):
        path = folder / str(bundled.labels[index]) / f"{index:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(255 - np.round(255 * bundled.images[index]).astype(np.uint8)).resize((112, 112)).save(path)
    (folder / "0" / "damaged.png").write_bytes(b"not a picture")
    return folder


@pytest.fixture(scope="module")
def own(pictures, tmp_path_factory):
    directory = tmp_path_factory.mktemp("own") / "scans"
    assert main(["gallery", "build", str(pictures), "--out", str(directory), "--name", "Our scans"]) == 0
    return directory


@pytest.fixture(autouse=True)
def served(own, monkeypatch):
    monkeypatch.setenv("GALLERY", str(own))
    loading.load_engine.clear()
    yield
    loading.load_engine.clear()
    loading.load_spaces.clear()


def test_the_page_searches_the_gallery_that_the_environment_names():
    app = search_page()
    app.button(key="random").click().run()
    assert not app.exception
    assert asked(app).startswith("our_scans-")
    assert len(labels(app)) == 4
    assert any("Nearest of the 60 digits of Our scans" in caption.value for caption in app.caption)
    assert not app.warning or "bundled gallery" not in app.warning[0].value


def test_more_neighbors_than_the_gallery_has_are_all_of_them(own, monkeypatch):
    app = search_page(q="our_scans-3", neighbors="20")
    assert len(labels(app)) == 20
    monkeypatch.setattr(type(loading.load_engine().engine.gallery), "__len__", lambda gallery: 7)
    assert len(labels(app.run())) == 6


def test_an_address_of_another_gallery_is_reported():
    app = search_page(q="mnist-7")
    assert "is not in this gallery" in app.toast[0].value
    assert asked(app).startswith("our_scans-")


def test_only_digits_that_are_labeled_so_can_be_asked_for():
    gallery = loading.load_engine().engine.gallery
    object.__setattr__(gallery, "labels", np.where(gallery.labels == 5, 4, UNLABELED).astype(np.uint8))
    app = search_page(q="our_scans-3")
    assert app.selectbox(key="digit").options == ["any", "4"]
    app.selectbox(key="digit").set_value(4).run()
    assert int(gallery.labels[int(asked(app).split("-")[1])]) == 4


def test_without_labels_the_verdict_is_left_to_the_visitor(bundled, tmp_path, monkeypatch, capsys):
    np.save(tmp_path / "digits.npy", bundled.images[:40])
    assert main(["gallery", "build", str(tmp_path / "digits.npy"), "--out", str(tmp_path / "bare")]) == 0
    monkeypatch.setenv("GALLERY", str(tmp_path / "bare"))
    loading.load_engine.clear()
    app = search_page(q="bare-3")
    assert not app.selectbox
    assert "The look-alikes have no labels: judge for yourself." in headlines(app)
    assert all("no label" in button.label for button in neighbor_buttons(app))
    for name in ("why", "compare", "morph", "noise", "shift", "speed"):
        assert not lesson(name, q="bare-3").error
    capsys.readouterr()
    assert main(["evaluate"]) == 1
    assert "has no labels" in capsys.readouterr().err


def test_pages_that_need_what_the_build_has_found_out_say_so():
    sentence = "This server searches the 60 digits of Our scans"
    assert sentence in headlines(lesson("map", q="our_scans-3"))[0]
    assert sentence in lesson("failures").info[0].value


@pytest.mark.parametrize("name", ["why", "compare", "morph", "noise", "shift", "speed"])
def test_the_other_pages_are_about_the_gallery_that_is_searched(name):
    app = lesson(name, q="our_scans-3")
    assert not app.error
    assert not app.info
    if name != "speed":
        assert asked(app) == "our_scans-3"


def test_some_pages_are_not_for_galleries_that_would_fill_the_memory(monkeypatch):
    monkeypatch.setattr(needs, "LARGEST_GALLERY", 59)
    assert "at most 59 digits" in headlines(lesson("compare", q="our_scans-3"))[0]
    assert "at most 59 digits" in lesson("speed").info[0].value


def test_a_gallery_that_is_not_there_or_damaged_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("GALLERY", str(tmp_path))
    loading.load_engine.clear()
    assert "holds no gallery" in search_page().error[0].value
    assert "holds no gallery" in lesson("compare").error[0].value


@pytest.mark.parametrize("guess", ["false", "true"])
def test_a_search_engine_that_stops_answering_is_reported_and_asked_again(monkeypatch, guess):
    app = search_page(q="our_scans-3", guess=guess)
    engine = loading.load_engine().engine
    answer = engine.nearest.kneighbors
    monkeypatch.setattr(engine, "nearest", Silent(engine.nearest))
    app.button(key="random").click().run()
    assert not app.exception
    assert "Milvus does not answer" in app.error[0].value
    assert app.button(key="random")
    monkeypatch.setattr(engine.nearest, "kneighbors", answer)
    app.button(key="random").click().run()
    assert not app.error
    assert len(labels(app)) == (4 if guess == "false" else 0)


class Silent:
    def __init__(self, nearest):
        self.vectors = nearest.vectors

    def kneighbors(self, *_, **__):
        raise SearchError("Milvus does not answer.")


def test_the_command_line_searches_and_measures_the_gallery_that_is_named(own, pictures, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("GALLERY")
    picture = next((pictures / "7").iterdir())
    address = str(tmp_path / "scans.db")
    assert main(["gallery", "push", str(own), "--to", address]) == 0
    assert "recall@4 against the exact search, of 60 queries: 1.0000" in capsys.readouterr().out
    answers = []
    for engine in ([], ["--milvus", address]):
        assert main(["search", str(picture), "--gallery", str(own), "--json", *engine]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert [found["label"] for found in answers[0]["neighbors"]][:2] == [7, 7]
    nearest = answers[0]["neighbors"][0]["index"]
    assert main(["gallery", "info", str(own), "--index", str(nearest)]) == 0
    assert f"7/{picture.name}" in capsys.readouterr().out
    for engine in ([], ["--milvus", address]):
        assert main(["evaluate", "--gallery", str(own), "--json", *engine]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[2] == answers[3]
    assert set(answers[2]["our_scans"]) == {"pixels", "pca", "latent"}


def test_a_build_lists_what_it_left_out(own, capsys):
    assert main(["gallery", "info", str(own)]) == 0
    printed = capsys.readouterr().out
    assert "digits      60\n" in printed
    assert "skipped     1 (see" in printed
    assert (own / "skipped.txt").read_text().startswith("0/damaged.png\t")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gallery", "build", "nowhere", "--out", "x"], "neither a file nor a folder"),
        (["gallery", "info", "nowhere"], "holds no gallery"),
        (["gallery", "push", "nowhere", "--to", "x.db"], "holds no gallery"),
        (["evaluate", "--gallery", "nowhere"], "holds no gallery"),
        (["evaluate", "--keep", "--failures", "x.png"], "with a gallery of your own (--gallery, or GALLERY"),
        (["evaluate", "--keep", "--failures", "x.png"], "leave out --keep, --failures"),
        (["search", "x.png", "--part", "all"], "leave out --part"),
    ],
)
def test_a_failure_is_one_line_and_a_status(arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
