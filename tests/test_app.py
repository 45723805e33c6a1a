"""The page by AppTest, with strokes put in the canvas' place."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from autoencoder import artifacts
from autoencoder.ui import canvas, loading, search_page

APP = str(Path(__file__).parent.parent / "app.py")


@pytest.fixture(autouse=True)
def strokes(monkeypatch):
    """What is on the canvas: a list to put strokes into."""
    drawn = []
    monkeypatch.setattr(canvas, "draw_canvas", lambda: drawn)
    return drawn


@pytest.fixture(scope="module", autouse=True)
def fresh_cache():
    loading.load_engine.clear()
    yield
    loading.load_engine.clear()


def page():
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    return app


def captions(app):
    return [image.proto.imgs[0].caption for image in app.image]


def neighbor_texts(app):
    return [markdown.value for markdown in app.markdown if "distance" in markdown.value]


def png(digit):
    file = io.BytesIO()
    Image.fromarray(np.round(digit * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def upload(content, name="digit.png", kind="image/png"):
    app = page()
    app.segmented_control(key="source").set_value("Upload").run()
    app.file_uploader(key="upload").upload(name, content, kind).run()
    assert not app.exception
    return app


def test_blank_canvas_shows_a_hint():
    app = page()
    assert "Draw a digit" in app.info[0].value
    assert not app.image


def test_a_drawing_shows_what_the_model_sees_its_reconstruction_and_four_neighbors(strokes, drawings):
    strokes.extend(drawings[0][0])
    app = page()
    assert len(neighbor_texts(app)) == 4
    assert {"What the model sees", "Its reconstruction"} <= set(captions(app))
    assert all("a **0**" in text for text in neighbor_texts(app))


def test_a_dot_gets_a_sentence(strokes):
    strokes.append(np.array([[100, 100], [103, 104]]))
    app = page()
    assert "only a dot" in app.info[0].value
    assert not neighbor_texts(app)


def test_a_scribble_over_everything_gets_a_sentence(strokes):
    x = np.tile([10, 270], 60)
    strokes.append(np.stack([x, np.linspace(10, 270, 120)], axis=1))
    app = page()
    assert "more ink than any digit has" in app.info[0].value


def test_random_query_shows_another_digit_each_time(gallery):
    app = page()
    chosen = []
    for _ in range(3):
        app.button(key="random").click().run()
        assert not app.exception
        assert len(neighbor_texts(app)) == 4
        chosen.append(app.session_state.random_index)
    assert chosen[0] != chosen[1] != chosen[2]
    assert app.segmented_control(key="source").value == "Random"


def test_a_random_query_stays_when_the_page_is_run_again():
    app = page()
    app.button(key="random").click().run()
    chosen = app.session_state.random_index
    assert app.run().session_state.random_index == chosen


def test_an_uploaded_digit_is_searched(gallery):
    app = upload(png(gallery.images[0]))
    assert "distance 0.00" in neighbor_texts(app)[0]


@pytest.mark.parametrize("content", [b"", b"no image", png(np.eye(28))[:50]], ids=["empty", "text", "truncated"])
def test_an_upload_that_is_no_picture_gets_a_sentence(content):
    app = upload(content)
    assert "not a picture that can be read" in app.info[0].value


def test_an_empty_picture_gets_a_sentence_and_the_page_stays_usable():
    app = upload(png(np.zeros((1, 1))))
    assert "Nothing stands out" in app.info[0].value
    app.button(key="random").click().run()
    assert len(neighbor_texts(app)) == 4


def test_the_canvas_is_there_before_the_engine(monkeypatch, strokes):
    order = []
    load_engine = search_page.load_engine
    monkeypatch.setattr(canvas, "draw_canvas", lambda: order.append("canvas") or strokes)
    monkeypatch.setattr(search_page, "load_engine", lambda: order.append("engine") or load_engine())
    page()
    assert order == ["canvas", "engine"]


def test_missing_artifacts_are_said_with_the_command_that_repairs_them(monkeypatch, tmp_path):
    loading.load_engine.clear()
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    app = page()
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
    app = page()
    assert "bundled gallery, not MNIST" in app.warning[0].value
    app.button(key="random").click().run()
    assert len(neighbor_texts(app)) == 4
    app.button(key="try_mnist_again").click().run()
    assert not app.exception
    assert app.warning


def test_when_mnist_is_back_it_is_searched(no_mnist, gallery):
    if gallery.name != "mnist":
        pytest.skip("MNIST is not on this machine")
    app = page()
    assert app.warning
    no_mnist()
    app.button(key="try_mnist_again").click().run()
    assert not app.exception
    assert not app.warning
