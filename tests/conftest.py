"""What the tests share: the galleries that are at hand, drawings, and no network."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from autoencoder import artifacts, data
from autoencoder.data import load_bundled, load_gallery

NOWHERE = "http://127.0.0.1:9/mnist.npz"  # the discard port: refused at once
DRAWINGS = Path(__file__).parent / "drawings.json"


def pytest_addoption(parser):
    screen = parser.getgroup("the browser's tests", "on which screen they run (`make journeys` runs them on six)")
    screen.addoption("--screen", default="1280x720", metavar="WIDTHxHEIGHT", help="in pixels")
    screen.addoption("--scheme", default="light", choices=["light", "dark"], help="of colours")
    screen.addoption("--pictures", type=Path, metavar="FOLDER", help="keep a picture of each page as a test leaves it")


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    """MNIST is what is on this machine, or nothing."""
    monkeypatch.setattr(data, "MNIST_URL", NOWHERE)


@pytest.fixture(scope="session")
def bundled():
    return load_bundled()


@pytest.fixture(scope="session")
def gallery():
    """MNIST's test digits where this machine has them, else the bundled ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "MNIST_URL", NOWHERE)
        return load_gallery()[0]


@pytest.fixture(scope="session")
def engine(gallery):
    from autoencoder.engine import Engine

    return Engine.load(gallery, artifacts.DIRECTORY)


@pytest.fixture(scope="session")
def drawings():
    """Pen strokes by digit, {digit: [drawing, ...]}, y down: real ones where `PEN_DIGITS` names them, else our own."""
    path = os.environ.get("PEN_DIGITS")
    if not path:
        return {int(digit): [strokes] for digit, strokes in json.loads(DRAWINGS.read_text()).items()}
    by_digit = {}
    with gzip.open(path, "rt") as lines:
        for line in lines:
            drawing = json.loads(line)
            strokes = [np.array(stroke, float) * [1, -1] for stroke in drawing["strokes"]]
            by_digit.setdefault(drawing["digit"], []).append(strokes)
    return by_digit
