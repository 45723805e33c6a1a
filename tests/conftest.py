"""What the tests share: the galleries that are at hand, drawings, and no network."""

import json
import os
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path

import numpy as np
import pymilvus  # noqa: F401, before TensorFlow: it sets up logging anew, which closes what absl and pytest write to
import pytest
from browser import ANSWER_MS, WITH_GRAPHICS, before_the_camera, chromium, serving

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from autoencoder import artifacts, data
from autoencoder.data import load_bundled, load_gallery
from autoencoder.measure.serving import browser_path
from deploy.serve import ServeError, nginx_path

NOWHERE = "http://127.0.0.1:9/mnist.npz"  # the discard port: refused at once
NOBODY = 65534
DRAWINGS = Path(__file__).parent / "drawings.json"


def pytest_addoption(parser):
    screen = parser.getgroup(
        "the browser's tests", "on which screen they run (`make journeys` runs them on five, light and dark)"
    )
    screen.addoption("--screen", default="1280x720", metavar="WIDTHxHEIGHT", help="in pixels")
    screen.addoption("--scheme", default="light", choices=["light", "dark"], help="of colors")
    screen.addoption("--pictures", type=Path, metavar="FOLDER", help="keep a picture of each page as a test leaves it")


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker("browser")


def pytest_runtest_setup(item):
    if item.get_closest_marker("mnist") and find_gallery().name != "mnist":
        pytest.skip("MNIST is not on this machine")
    if item.get_closest_marker("milvus_server") and "MILVUS_SERVER" not in os.environ:
        pytest.skip("MILVUS_SERVER names no server")
    if item.get_closest_marker("pen_digits") and "PEN_DIGITS" not in os.environ:
        pytest.skip("PEN_DIGITS names no file")


@cache
def find_gallery():
    """MNIST's test digits where this machine has them, else the bundled ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "MNIST_URL", NOWHERE)
        return load_gallery()[0]


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    """MNIST is what is on this machine, or nothing."""
    monkeypatch.setattr(data, "MNIST_URL", NOWHERE)


@pytest.fixture(scope="session")
def nginx():
    """Where nginx is; with `REQUIRE_NGINX=1` its absence is a failure."""
    try:
        return nginx_path()
    except ServeError as problem:
        if os.environ.get("REQUIRE_NGINX"):
            pytest.fail(str(problem), pytrace=False)
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def bundled():
    return load_bundled()


@pytest.fixture(scope="session")
def gallery():
    """MNIST's test digits where this machine has them, else the bundled ones."""
    return find_gallery()


@pytest.fixture(scope="session")
def engine(gallery):
    from autoencoder.query.engine import Engine

    return Engine.load(gallery, artifacts.DIRECTORY)


@pytest.fixture(scope="session")
def drawings():
    """Pen strokes by digit, {digit: [drawing, ...]}, y down: real ones where `PEN_DIGITS` names them, else our own."""
    path = os.environ.get("PEN_DIGITS")
    if not path:
        return {int(digit): [strokes] for digit, strokes in json.loads(DRAWINGS.read_text()).items()}
    by_digit = {}
    for digit, strokes in data.read_strokes(Path(path)):
        by_digit.setdefault(digit, []).append(strokes)
    return by_digit


@pytest.fixture
def strokes(monkeypatch):
    """What is on the canvas of a page by AppTest: a list to put strokes into."""
    from autoencoder.query.question import Drawing
    from autoencoder.ui import canvas

    drawn = []
    monkeypatch.setattr(canvas, "draw_canvas", lambda visit: visit.draw(Drawing.of(drawn)) if drawn else None)
    return drawn


@pytest.fixture(scope="module")
def server(browser):
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def browser(gallery, tmp_path_factory):
    if not browser_path():
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium", pytrace=False)
        pytest.skip("no Chromium or Chrome here")
    paper = np.full((480, 640), 255, np.uint8)
    seven = np.flatnonzero(gallery.labels == 7)[0]
    paper[100:380, 180:460] = 255 - np.round(gallery.images[seven] * 255).repeat(10, axis=0).repeat(10, axis=1)
    camera = before_the_camera(paper, tmp_path_factory.mktemp("camera") / "seven.y4m")
    with chromium(*camera, *WITH_GRAPHICS) as running:
        yield running


@pytest.fixture
def visit(browser, request):
    """Open a page; at the end its console must have been free of errors."""
    errors, contexts = [], []
    width, height = map(int, request.config.getoption("screen").split("x"))
    scheme, folder = request.config.getoption("scheme"), request.config.getoption("pictures")
    screen = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}

    def open_page(address, *, canvas=True, **options):
        contexts.append(browser.new_context(**(screen | options)))
        page = contexts[-1].new_page()
        page.set_default_timeout(ANSWER_MS)
        page.on("console", lambda message: errors.append(message.text) if is_error(message) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        if canvas:
            page.locator("canvas.upper-canvas").wait_for()
        return page

    yield open_page
    for number, context in enumerate(contexts):
        for page in context.pages if folder else ():
            picture = f"{request.node.name}-{number}-{width}-{scheme}.png".replace("/", "_")
            page.screenshot(path=folder / picture, full_page=True)
        context.close()
    assert errors == []


def is_error(message):
    """Whether a console's message is one of ours: on a page below the root, Streamlit asks there for its own first."""
    return message.type == "error" and "/_stcore/" not in message.location.get("url", "")


@pytest.fixture
def seventh(gallery):
    """A digit of the gallery as addresses name it."""
    return f"{gallery.name}-7"


@pytest.fixture
def as_nobody(tmp_path):
    """A context in which root, whom nothing is forbidden, is another user who owns the test's folder."""
    if os.geteuid():
        return nullcontext

    @contextmanager
    def nobody():
        for path in (tmp_path, *tmp_path.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        modes = {folder: folder.stat().st_mode for folder in tmp_path.parents}
        for folder, mode in modes.items():
            folder.chmod(mode | 0o011)
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
            for folder, mode in modes.items():
                folder.chmod(mode)
            for path in tmp_path.rglob("*"):
                if path.is_dir():
                    path.chmod(0o755)  # so that what made the folder can delete it

    return nobody
