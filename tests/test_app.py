"""The page by AppTest, with strokes put in the canvas' place."""

import io
import re
import threading

import keras
import numpy as np
import pytest
from pages import asked, captions, headlines, labels, neighbor_buttons, on_canvas, open_what_to_take_away, search_page
from PIL import Image
from streamlit.runtime.scriptrunner import script_runner
from threadpoolctl import threadpool_info, threadpool_limits

from autoencoder import artifacts
from autoencoder.ink.preprocess import digit_from_strokes
from autoencoder.ink.strokes import simplify
from autoencoder.query.question import Drawing, Picture, from_text
from autoencoder.ui import canvas, desk, loading

pytestmark = pytest.mark.usefixtures("strokes")


@pytest.fixture(scope="module", autouse=True)
def fresh_cache():
    loading.load_engine.clear()
    yield
    loading.load_engine.clear()


def png(digit):
    file = io.BytesIO()
    Image.fromarray(np.round(digit * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def upload(content, name="digit.png", kind="image/png"):
    app = search_page()
    app.segmented_control(key="tab").set_value("Upload").run()
    app.file_uploader(key="Upload").upload(name, content, kind).run()
    assert not app.exception
    return app


def test_blank_canvas_shows_a_hint():
    app = search_page()
    assert headlines(app)[0] == "Draw a digit from 0 to 9."
    assert not neighbor_buttons(app)
    assert asked(app) is None


def test_a_drawing_shows_what_the_model_sees_its_reconstruction_and_four_neighbors(strokes, drawings):
    strokes.extend(on_canvas(drawings[0][0]))
    app = search_page()
    assert labels(app) == [0] * 4
    assert {"The model sees", "It redraws"} <= set(captions(app))
    assert headlines(app)[0] == "All 4 look-alikes are 0s."


def sentences(app):
    return [markdown.value for markdown in app.markdown]


def test_a_drawing_is_not_graded_but_asked_about(strokes, drawings):
    strokes.extend(on_canvas(drawings[0][0]))
    app = search_page()
    assert headlines(app) == ["All 4 look-alikes are 0s."]
    assert "Is it a 0?" in sentences(app)
    app.button(key="told_yes").click().run()
    assert headlines(app) == ["Good: all 4 look-alikes are 0s, as the query is."]
    assert "You said: a **0**." in sentences(app)
    app.button(key="told_change").click().run()
    assert headlines(app) == ["All 4 look-alikes are 0s."]


def test_told_that_it_is_another_digit_the_page_shows_where_its_nearest_is(strokes, drawings, engine):
    strokes.extend(on_canvas(drawings[0][0]))
    app = search_page()
    app.selectbox(key="told_other").set_value(7).run()
    assert headlines(app) == ["Missed: the query is a 7, but 4 of 4 look-alikes are not."]
    rank, nearest = engine.find_nearest_of(7, engine.search(digit_from_strokes(simplify(strokes))))
    assert f"The nearest 7 is look-alike number **{rank:,}**, at distance {nearest.distance:.2f}." in sentences(app)
    assert all("(not 7)" in button.label for button in neighbor_buttons(app))


def test_what_was_said_of_one_drawing_says_nothing_of_the_next(strokes, drawings):
    strokes.extend(on_canvas(drawings[0][0]))
    app = search_page()
    app.selectbox(key="told_other").set_value(7).run()
    strokes[:] = on_canvas(drawings[1][0])
    app.run()
    assert "standard" not in " ".join(headlines(app))
    assert app.selectbox(key="told_other").value is None


def test_what_was_said_stays_while_the_settings_change(strokes, drawings):
    strokes.extend(on_canvas(drawings[0][0]))
    app = search_page()
    app.selectbox(key="told_other").set_value(7).run()
    app.toggle(key="prepare").set_value(False).run()
    assert ["the query is a 7" in box for box in headlines(app)] == [True, True]  # one question about two answers
    assert sentences(app).count("You said: a **7**.") == 1
    app.slider(key="neighbors").set_value(9).run()
    assert all("the query is a 7" in box for box in headlines(app))


def test_a_digit_of_the_gallery_is_not_asked_about(seventh):
    app = search_page(q=seventh)
    assert not any("Is it" in markdown.value for markdown in app.markdown)


def test_two_digits_side_by_side_are_reported(strokes):
    strokes.extend(np.array([[x, 60], [x, 220]]) for x in (90, 190))
    app = search_page()
    assert "two shapes" in headlines(app)[0]
    assert not any("Is it" in sentence for sentence in sentences(app))


@pytest.mark.mnist
def test_an_open_4_is_no_two_shapes(strokes):
    strokes.extend([np.array([[90, 60], [70, 170], [190, 165]]), np.array([[200, 60], [205, 230]])])
    assert "two shapes" not in headlines(search_page())[0]


def test_the_bars_have_one_scale_for_all_queries(strokes, drawings):
    def fullness(app):
        return [float(bar.proto.value) for bar in app.get("progress")]

    strokes.extend(on_canvas(drawings[0][0]))
    near = max(fullness(search_page()))
    strokes[:] = [np.array([[x, y] for y in (40, 240) for x in (40, 240)]), np.array([[140, 20], [140, 260]])]
    assert near < min(fullness(search_page())) <= 100


@pytest.mark.mnist
def test_the_test_digits_alone_can_be_searched(gallery):
    whole, part = search_page(q="mnist-7"), search_page(q="mnist-7", test="true")
    index = re.compile(r"neighbor-\d+-(\d+)$")
    found = [[int(index.search(button.key)[1]) for button in neighbor_buttons(app)] for app in (whole, part)]
    assert max(found[1]) < 10_000 <= max(found[0])
    whole.toggle(key="test").set_value(True).run()
    assert [int(index.search(button.key)[1]) for button in neighbor_buttons(whole)] == found[1]


@pytest.mark.mnist
@pytest.mark.parametrize("parameters", [{}, {"test": "true"}])
def test_a_training_digit_has_a_permalink(gallery, parameters):
    app = search_page(q="mnist-54321", **parameters)
    assert not app.toast
    assert any(f"Gallery digit 54321: an **{gallery.label(54321)}**" in text.value for text in app.caption)
    assert headlines(app)[0].startswith("Good")
    assert not any(button.key.endswith("-54321") for button in neighbor_buttons(app))


@pytest.mark.mnist
def test_random_queries_are_digits_that_the_network_has_not_seen():
    app = search_page()
    for _ in range(10):
        app.button(key="random").click().run()
        assert int(asked(app).split("-")[1]) < 10_000


def test_a_dot_gets_a_sentence(strokes):
    strokes.append(np.array([[100, 100], [103, 104]]))
    app = search_page()
    assert "Just a dot" in headlines(app)[0]
    assert not neighbor_buttons(app)


def test_a_scribble_over_everything_gets_a_sentence(strokes):
    x = np.tile([10, 270], 60)
    strokes.append(np.stack([x, np.linspace(10, 270, 120)], axis=1))
    app = search_page()
    assert "more ink than any digit has" in headlines(app)[0]


def test_random_query_shows_another_digit_each_time(gallery):
    app = search_page()
    chosen = []
    for _ in range(3):
        app.button(key="random").click().run()
        assert not app.exception
        assert len(labels(app)) == 4
        chosen.append(asked(app))
    assert chosen[0] != chosen[1] != chosen[2]
    assert app.segmented_control(key="tab").value == "Random"


def test_a_random_query_stays_when_the_page_is_run_again():
    app = search_page()
    app.button(key="random").click().run()
    chosen = asked(app)
    assert asked(app.run()) == chosen


def test_an_uploaded_digit_is_searched(gallery):
    app = upload(png(gallery.images[0]))
    assert any("distance 0.00" in caption.value for caption in app.caption)


@pytest.mark.parametrize("content", [b"", b"no image", png(np.eye(28))[:50]], ids=["empty", "text", "truncated"])
def test_an_upload_that_is_no_picture_gets_a_sentence(content):
    app = upload(content)
    assert "not a picture that can be read" in headlines(app)[0]


def test_an_empty_picture_gets_a_sentence_and_the_page_stays_usable():
    app = upload(png(np.zeros((1, 1))))
    assert "Nothing stands out" in headlines(app)[0]
    app.button(key="random").click().run()
    assert len(labels(app)) == 4


def test_a_digit_filter_leaves_that_digit_alone():
    app = search_page()
    app.segmented_control(key="tab").set_value("Random").run()
    app.selectbox(key="digit").set_value(7).run()
    for _ in range(3):
        assert any("a **7** (left out" in caption.value for caption in app.caption)
        app.button(key="random").click().run()


def test_a_neighbor_becomes_the_query_and_back_returns(strokes, drawings, gallery):
    strokes.extend(on_canvas(drawings[0][0]))
    app = search_page()
    first = asked(app)
    assert app.button(key="back").disabled
    neighbor_buttons(app)[1].click().run()
    second = asked(app)
    assert second.startswith(gallery.name)
    neighbor_buttons(app)[0].click().run()
    assert asked(app) not in (first, second)
    app.button(key="back").click().run()
    assert asked(app) == second
    app.button(key="back").click().run()
    assert asked(app) == first
    assert app.button(key="back").disabled
    assert not app.exception


@pytest.mark.parametrize("n_neighbors", [1, 4, 5, 20])
def test_as_many_neighbors_as_wanted(n_neighbors, seventh):
    app = search_page(q=seventh, neighbors=str(n_neighbors))
    assert len(labels(app)) == n_neighbors


def test_off_the_preparation_both_answers_are_shown(strokes, drawings):
    strokes.extend(np.add(stroke, [95, -90]) for stroke in on_canvas(drawings[0][0], 70))  # small, in a corner
    app = search_page(prepare="false")
    assert len(labels(app)) == 8
    shown = [markdown.value for markdown in app.markdown]
    assert shown.index("**Just shrunk to 28 × 28**") < shown.index("**Centered and scaled like MNIST's**")
    assert labels(app)[4:] == [0] * 4


def test_the_difference_is_shown_on_demand(seventh):
    app = search_page(q=seventh)
    assert "The difference" not in captions(app)
    app.toggle(key="difference").set_value(True).run()
    assert "The difference" in captions(app)


def test_guess_first_hides_everything_that_tells_the_digit(gallery, seventh):
    app = search_page(q=seventh, guess="true")
    label = gallery.labels[7]
    assert not neighbor_buttons(app)
    texts = [element.value for kind in (app.markdown, app.caption) for element in kind] + headlines(app)
    assert not any(f"**{label}**" in text or f"a {label}" in text for text in texts)
    app.button(key="reveal").click().run()
    assert len(labels(app)) == 4
    app.button(key="random").click().run()
    assert not neighbor_buttons(app)  # another query is to be guessed anew


def test_guess_first_hides_the_digit_filter_and_picks_any(gallery):
    app = search_page()
    app.segmented_control(key="tab").set_value("Random").run()
    app.selectbox(key="digit").set_value(7).run()
    app.toggle(key="guess").set_value(True).run()
    assert not app.selectbox
    picked = set()
    for _ in range(6):
        app.button(key="random").click().run()
        picked.add(int(gallery.labels[int(asked(app).split("-")[1])]))
    assert picked != {7}


def test_the_address_of_an_uploaded_digit_shows_the_same_page(gallery):
    uploaded = upload(png(gallery.images[5]))
    opened = search_page(q=asked(uploaded))
    assert opened.segmented_control(key="tab").value == "Upload"
    assert (labels(opened), headlines(opened)) == (labels(uploaded), headlines(uploaded))


def test_a_drawing_too_long_for_an_address_is_searched_all_the_same(strokes):
    angles = np.linspace(0, 2 * np.pi, 300)
    scribble = 140 + np.stack([60 * np.sin(angles), 90 * np.cos(angles)], axis=1)
    strokes.extend(scribble + np.random.default_rng(seed).normal(0, 3, scribble.shape) for seed in range(4))
    app = search_page(guess="true")
    assert asked(app) is None
    assert not neighbor_buttons(app)
    app.button(key="reveal").click().run()
    assert len(labels(app)) == 4
    open_what_to_take_away(app)
    assert any("too long for a link" in caption.value for caption in app.caption)
    strokes.pop()
    assert not neighbor_buttons(app.run())  # another drawing, to be guessed anew


def test_a_second_picture_is_another_question_and_the_first_can_be_returned_to(gallery):
    app = upload(png(gallery.images[5]))
    first = asked(app)
    app.file_uploader(key="Upload").set_value(("other.png", png(gallery.images[6]), "image/png")).run()
    assert asked(app) != first
    app.button(key="back").click().run()
    assert asked(app) == first


def test_a_bad_picture_is_forgotten_with_its_tab():
    app = upload(b"no picture")
    app.segmented_control(key="tab").set_value("Draw").run()
    app.segmented_control(key="tab").set_value("Upload").run()
    assert "Choose a picture" in headlines(app)[0]


def test_the_address_of_a_drawing_says_its_strokes(strokes, drawings):
    strokes.extend(on_canvas(drawings[3][0]))
    assert from_text(asked(search_page())) == Drawing.of(strokes)


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "mnist--1"},
        {"q": "strokes-<script>alert(1)</script>"},
        {"q": "png-AAAA"},
        {"q": "x" * 100_000},
        {"neighbors": "99"},
        {"neighbors": "many"},
        {"guess": "perhaps"},
        {"prepare": ""},
        {"present": "2", "difference": "[]"},
    ],
)
def test_an_address_of_nonsense_is_ignored_with_a_hint(parameters):
    app = search_page(**parameters)
    assert len(app.toast) == 1
    assert headlines(app)[0] == "Draw a digit from 0 to 9."
    assert app.slider(key="neighbors").value == 4
    assert [app.toggle(key=key).value for key in ("prepare", "difference", "guess", "present")] == [True] + [False] * 3


@pytest.mark.parametrize("index", ["{}-99999999", "another-1"])
def test_a_digit_that_the_gallery_lacks_is_replaced_with_a_hint(gallery, index):
    other = {"mnist": "digits", "digits": "mnist"}[gallery.name]
    app = search_page(q=index.format(gallery.name).replace("another", other))
    assert "not in this gallery" in app.toast[0].value
    assert len(labels(app)) == 4
    assert asked(app).startswith(gallery.name)


def test_a_checkerboard_looks_like_no_digit():
    board = np.kron(np.indices((7, 7)).sum(axis=0) % 2, np.ones((4, 4)))
    app = search_page(q=Picture.of(board).to_text())
    assert headlines(app)[0] == "Nothing here looks like this, and the model cannot redraw it."
    assert "Is it a digit?" in sentences(app)
    app.selectbox(key="told_other").set_value(6).run()
    assert headlines(app)[0].startswith("This is an unusual 6. Missed")


def test_an_odd_neighbor_is_marked_in_words(engine, gallery):
    def odd(index):
        return {n.label for n in engine.search(gallery.images[index], exclude=index).neighbors} - {
            gallery.labels[index]
        }

    index = next(index for index in range(len(gallery)) if odd(index))
    app = search_page(q=f"{gallery.name}-{index}")
    for button, label in zip(neighbor_buttons(app), labels(app), strict=True):
        assert (f"(not {gallery.labels[index]})" in button.label) == (label != gallery.labels[index])


def test_the_presenter_view_folds_the_controls_away_and_invites(seventh):
    app = search_page(q=seventh, present="true")
    assert app.toggle(key="present").value
    assert any("Only this machine can open this page" in markdown.value for markdown in app.markdown)


def test_the_canvas_is_there_before_the_engine(monkeypatch, strokes):
    order = []
    load_engine = desk.load_engine
    monkeypatch.setattr(canvas, "draw_canvas", lambda visit: order.append("canvas"))
    monkeypatch.setattr(desk, "load_engine", lambda: order.append("engine") or load_engine())
    search_page()
    assert order == ["canvas", "engine"]


def test_the_address_and_the_link_say_the_options(seventh):
    app = search_page(q=seventh)
    app.slider(key="neighbors").set_value(6).run()
    app.toggle(key="difference").set_value(True).run()
    assert app.query_params == {"q": seventh, "neighbors": "6", "difference": "true"}
    open_what_to_take_away(app)
    assert app.code[0].value.endswith(f"/?q={seventh}&neighbors=6&difference=true")
    app.slider(key="neighbors").set_value(4).run()
    assert app.query_params == {"q": seventh, "difference": "true"}


def test_what_to_save_or_share_is_sent_once_it_is_opened(seventh):
    app = search_page(q=seventh)
    assert not app.code
    open_what_to_take_away(app)
    app.button(key="random").click().run()
    assert app.code[0].value.endswith(f"/?q={asked(app)}")


def test_missing_artifacts_are_said_with_the_command_that_repairs_them(monkeypatch, tmp_path):
    loading.load_engine.clear()
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    app = search_page()
    assert "manifest.json is missing" in app.error[0].value
    assert "python -m autoencoder train" in app.error[0].value


@pytest.fixture
def no_mnist(monkeypatch, tmp_path):
    """Take MNIST away from a fresh server; the fixture's value gives it back."""
    loading.load_engine.clear()
    with monkeypatch.context() as patch:
        patch.delenv("MNIST_NPZ", raising=False)
        patch.setenv("KERAS_HOME", str(tmp_path))
        yield patch.undo
    loading.load_engine.clear()


def test_without_mnist_the_page_searches_the_bundled_digits_and_says_so(no_mnist):
    app = search_page()
    assert "bundled gallery, not MNIST" in app.warning[0].value
    app.button(key="random").click().run()
    assert len(labels(app)) == 4
    app.button(key="try_mnist_again").click().run()
    assert not app.exception
    assert app.warning


@pytest.mark.mnist
def test_when_mnist_is_back_it_is_searched(no_mnist):
    app = search_page()
    assert app.warning
    no_mnist()
    app.button(key="try_mnist_again").click().run()
    assert not app.exception
    assert not app.warning


def test_what_streamlit_does_after_a_run_leaves_keras_as_it_is():
    search_page()
    keras.layers.Dense(1)
    script_runner._clean_problem_modules()  # clears Keras' session, and TensorFlow's compiled graphs with it
    assert keras.layers.Dense(1).name != "dense"  # as the first after that would be named


def test_queries_are_answered_by_one_core_each():
    setting = threading.Thread(target=threadpool_limits, args=(2,))  # BLAS obeys one thread at a time, while that lives
    setting.start()
    setting.join()
    loading.load_engine.clear()
    search_page()
    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
