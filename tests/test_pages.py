"""The teaching pages by AppTest."""

import base64
import io
import re

import numpy as np
import pytest
from pages import asked, lesson, on_canvas
from PIL import Image

from autoencoder import artifacts
from autoencoder.query.question import Drawing
from autoencoder.ui import loading
from autoencoder.ui.pages.compare import SEARCHED
from autoencoder.ui.pages.failures import _taken_for
from autoencoder.ui.pages.noise import _sentence

QUERY_PAGES = ("compare", "map", "morph", "noise", "shift")
PAGES = (*QUERY_PAGES, "speed", "pca", "failures", "about")


@pytest.fixture(scope="module", autouse=True)
def fresh_cache():
    loading.load_engine.clear()
    yield
    loading.load_engine.clear()


def pixels(image):
    """The digit that an image element shows."""
    png = base64.b64decode(image.proto.imgs[0].url.split(",")[1])
    return np.asarray(Image.open(io.BytesIO(png)), float)[5::10, 5::10] / 255


def words(app):
    return " ".join(element.value for kind in (app.markdown, app.caption) for element in kind)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens(name):
    app = lesson(name)
    assert len(app.header) == 1
    assert not app.error


@pytest.mark.parametrize("name", QUERY_PAGES)
def test_a_page_shows_the_query_of_its_address(name, gallery):
    app = lesson(name, q=f"{gallery.name}-7")
    assert "Digit 7 of the gallery" in words(app)
    app.button(key="random").click().run()
    assert "Digit 7 of the gallery" not in words(app)


def test_without_a_query_a_random_one_is_asked_and_the_address_says_it(gallery):
    app = lesson("compare")
    index = re.search(r"Digit (\d+) of the gallery", words(app))[1]
    assert asked(app) == f"{gallery.name}-{index}"


def test_the_three_spaces_are_compared_by_how_many_are_right(gallery):
    app = lesson("compare", q=f"{gallery.name}-7")
    hits = loading.load_study(gallery.name).hits
    for name in SEARCHED:
        assert f"**{hits[name][7]} of 4** right" in words(app)


def test_spaces_that_disagree_are_found(gallery):
    app = lesson("compare", q=f"{gallery.name}-7")
    app.button(key="disagree").click().run()
    counts = [int(count) for count in re.findall(r"\*\*(\d) of 4\*\*", words(app))]
    assert max(counts) - min(counts) >= 2


def test_the_figures_of_the_comparison_are_those_of_the_metrics(gallery):
    app = lesson("compare")
    metrics = artifacts.load_metrics()[gallery.name]
    assert f"{metrics['latent']['precision_at_4']:.2%}" in app.table[0].value.to_string()


def test_all_of_the_way_is_the_other_digit_s_reconstruction(gallery, engine):
    app = lesson("morph", q=f"{gallery.name}-7")
    app.selectbox[0].set_value(app.selectbox[0].options[0]).run()
    result = engine.unseen.search(gallery.images[7], exclude=7)
    nearest = engine.search(gallery.images[result.neighbors[0].index])
    for percent, reconstruction in ((0, result.reconstruction), (100, nearest.reconstruction)):
        app.slider(key="share").set_value(percent).run()
        np.testing.assert_allclose(pixels(app.image[1]), reconstruction, atol=0.02)


def test_a_knob_goes_from_the_gallery_s_least_to_its_most(gallery, engine):
    app = lesson("morph", q=f"{gallery.name}-7")
    app.slider(key="knob").set_value(5).run()
    column = engine.unseen.nearest.vectors[:, 4]
    knob = app.slider[-1]
    assert knob.min == pytest.approx(column.min(), abs=1e-5)
    assert knob.max == pytest.approx(column.max(), abs=1e-5)


def test_failures_are_those_that_find_two_of_their_kind_at_most(gallery):
    app = lesson("failures")
    hits = loading.load_study(gallery.name).hits["latent"]
    opened = [int(re.search(r"\d+", button.label)[0]) for button in app.button if button.key.startswith("open-")]
    assert opened
    assert f"**{(hits <= 2).sum()}** such queries" in words(app)
    assert all(hits[index] <= 2 for index in opened)
    assert hits[opened[0]] == hits.min()
    digit = int(gallery.labels[opened[0]])
    app.selectbox(key="failed_digit").set_value(digit).run()
    shown = [int(re.search(r"\d+", button.label)[0]) for button in app.button if button.key.startswith("open-")]
    assert set(gallery.labels[shown]) == {digit}
    assert f"of **{(hits <= 2).sum()}** such" in words(app)


@pytest.mark.mnist  # the bundled digits' failures fit one page
def test_another_filter_starts_at_the_worst_again(gallery):
    app = lesson("failures")
    app.number_input(key="page_of_failures").set_value(2).run()
    app.selectbox(key="failed_digit").set_value(int(gallery.labels[0])).run()
    assert not app.number_input or app.number_input(key="page_of_failures").value == 1


@pytest.mark.parametrize(("labels", "taken_for"), [([3, 3, 5, 5], 5), ([7, 1, 1, 7], 7), ([0, 9, 4, 9], 9)])
def test_a_failure_is_taken_for_the_most_frequent_other_digit(labels, taken_for):
    assert _taken_for(labels, 3) == taken_for


@pytest.mark.parametrize("name", [*QUERY_PAGES, "speed", "failures"])
def test_a_missing_artifact_is_reported_on_every_page(monkeypatch, tmp_path, name):
    loading.load_engine.clear()
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    app = lesson(name)
    assert "git checkout artifacts" in app.error[0].value
    loading.load_engine.clear()


def test_neighbors_of_a_drawing_are_not_judged_by_each_space_s_own_majority(drawings):
    app = lesson("compare", q=Drawing.of(on_canvas(drawings[3][0])).to_text())
    assert "Which ones are right? You decide." in words(app)
    assert "≠" not in str([image.proto.imgs[0].caption for image in app.image])


@pytest.mark.parametrize(
    ("dirty", "ours", "linear", "said"),
    [
        (0.04, 0.01, 0.02, "lost **75%** of the dirty digit's error."),
        (0.04, 0.02, 0.01, "lost **50%** of the dirty digit's error, and PCA's still more."),
        (0.01, 0.02, 0.03, "**here the claim fails**"),
    ],
)
def test_what_became_of_the_dirt_is_judged_by_the_clean_digit(dirty, ours, linear, said):
    assert said in _sentence(dirty, ours, linear, 0.005)


def test_noise_is_dropped_and_pca_drops_less(gallery):
    app = lesson("noise", q=f"{gallery.name}-7")
    app.slider(key="amount").set_value(50).run()
    dirty, ours, linear = map(float, re.findall(r"\*\*(0\.\d{4})\*\*", words(app))[:3])
    assert ours < linear < dirty


def test_a_one_is_shifted_as_in_the_post(gallery):
    app = lesson("shift", q=f"{gallery.name}-7")
    app.button(key="one").click().run()
    assert f"Digit {np.flatnonzero(gallery.labels == 1)[0]} of the gallery, a **1**" in words(app)
    assert words(app).count("The shifted digit's neighbors") == 2


def test_morph_goes_to_another_kind_of_digit_at_first(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    assert str(gallery.labels[7]) not in app.selectbox[0].value.split(", ")[1]
