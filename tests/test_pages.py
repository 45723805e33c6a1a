"""The lenses and the evidence pages by AppTest."""

import re

import pytest
from pages import asked, captions, headlines, lesson, on_canvas

from autoencoder import artifacts
from autoencoder.query.question import Drawing
from autoencoder.ui import loading
from autoencoder.ui.examples import EXAMPLES
from autoencoder.ui.pages.compare import SEARCHED
from autoencoder.ui.pages.failures import _taken_for

LENSES = ("why", "compare", "map", "morph", "noise", "shift")
PAGES = (*LENSES, "speed", "pca", "failures", "about")


@pytest.fixture(scope="module", autouse=True)
def fresh_cache():
    loading.load_engine.clear()
    yield
    loading.load_engine.clear()


def words(app):
    return " ".join(element.value for kind in (app.markdown, app.caption) for element in kind)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens(name):
    app = lesson(name)
    assert len(app.header) == 1
    assert not app.error


@pytest.mark.parametrize("name", LENSES)
def test_a_lens_shows_the_query_of_its_address(name, gallery):
    app = lesson(name, q=f"{gallery.name}-7")
    assert "Gallery digit 7:" in words(app)
    app.button(key="random").click().run()
    assert not app.exception
    assert "Gallery digit 7:" not in words(app)


@pytest.mark.parametrize("name", LENSES)
def test_a_lens_looks_at_a_drawing(name, strokes, drawings):
    strokes.extend(on_canvas(drawings[3][0]))
    app = lesson(name)
    assert asked(app) == Drawing.of(strokes).to_text()
    assert any(image.proto.imgs[0].alt == "the query as the model sees it" for image in app.image)
    assert "Draw a digit" not in " ".join(headlines(app))


@pytest.mark.parametrize("name", LENSES)
def test_a_lens_without_a_question_asks_for_one(name):
    app = lesson(name)
    assert headlines(app) == ["Draw a digit from 0 to 9."]
    app.button(key="example-4").click().run()
    assert asked(app) == EXAMPLES["a 4"].to_text()
    assert "Draw a digit from 0 to 9." not in headlines(app)


@pytest.mark.parametrize("name", LENSES)
def test_a_lens_hides_all_that_is_to_be_guessed(name, gallery):
    app = lesson(name, q=f"{gallery.name}-7", guess="true")
    assert headlines(app) == ["Which digit is it? Guess, then reveal."]
    assert f"**{gallery.labels[7]}**" not in words(app)
    assert captions(app) == [None, "The model sees", "It redraws"] or captions(app) == [
        "",
        "The model sees",
        "It redraws",
    ]
    app.button(key="reveal").click().run()
    assert f"**{gallery.labels[7]}**" in words(app)


@pytest.mark.parametrize("name", PAGES)
def test_every_address_keeps_the_question_and_the_options(name, gallery):
    parameters = {"q": f"{gallery.name}-7", "neighbors": "6", "present": "true"}
    app = lesson(name, **parameters)
    said = {key: value[0] if isinstance(value, list) else value for key, value in app.query_params.items()}
    assert said == parameters


def test_told_what_a_drawing_is_the_spaces_are_graded_by_it(strokes, drawings):
    strokes.extend(on_canvas(drawings[3][0]))
    app = lesson("compare")
    assert words(app).count("Which are right? You decide.") == 3
    visit = app.session_state["visit"]
    visit.tell(visit.question, 3)
    app.run()
    assert len(re.findall(r"\*\*\d of 4\*\* right", words(app))) == 3


@pytest.mark.mnist
def test_a_digit_that_a_lens_does_not_search_is_not_said_to_be_left_out():
    assert "left out of its own results" not in words(lesson("compare", q="mnist-54321"))
    assert "left out of its own results" in words(lesson("noise", q="mnist-54321"))


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
    app = lesson("compare", q=f"{gallery.name}-7")
    app.session_state["compare_figures"] = True  # unfolded
    app.run()
    metrics = artifacts.load_metrics()[gallery.name]
    assert f"{metrics['latent']['precision_at_4']:.2%}" in app.table[0].value.to_string()


def test_failures_are_those_that_find_two_of_their_kind_at_most(gallery):
    app = lesson("failures")
    hits = loading.load_study(gallery.name).hits["latent"]
    opened = [int(re.search(r"\d+", button.label)[0]) for button in app.button if button.key.startswith("open-")]
    assert opened
    assert f"**{(hits <= 2).sum()}** failed queries" in words(app)
    assert all(hits[index] <= 2 for index in opened)
    assert hits[opened[0]] == hits.min()
    digit = int(gallery.labels[opened[0]])
    app.selectbox(key="failed_digit").set_value(digit).run()
    shown = [int(re.search(r"\d+", button.label)[0]) for button in app.button if button.key.startswith("open-")]
    assert set(gallery.labels[shown]) == {digit}
    assert f"of **{(hits <= 2).sum()}** failed" in words(app)


@pytest.mark.mnist  # the bundled digits' failures fit one page
def test_another_filter_starts_at_the_worst_again(gallery):
    app = lesson("failures")
    app.number_input(key="page_of_failures").set_value(2).run()
    app.selectbox(key="failed_digit").set_value(int(gallery.labels[0])).run()
    assert not app.number_input or app.number_input(key="page_of_failures").value == 1


@pytest.mark.parametrize(("labels", "taken_for"), [([3, 3, 5, 5], 5), ([7, 1, 1, 7], 7), ([0, 9, 4, 9], 9)])
def test_a_failure_is_taken_for_the_most_frequent_other_digit(labels, taken_for):
    assert _taken_for(labels, 3) == taken_for


@pytest.mark.parametrize("name", [*LENSES, "speed", "failures"])
def test_a_missing_artifact_is_reported_on_every_page(monkeypatch, tmp_path, name):
    loading.load_engine.clear()
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    app = lesson(name)
    assert "git checkout artifacts" in app.error[0].value
    loading.load_engine.clear()


def test_neighbors_of_a_drawing_are_not_judged_by_each_space_s_own_majority(drawings):
    app = lesson("compare", q=Drawing.of(on_canvas(drawings[3][0])).to_text())
    assert "Which are right? You decide." in words(app)
    assert "(not" not in str(captions(app))
