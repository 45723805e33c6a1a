"""The sheet of the gallery's pictures, and the server that sends it."""

import gzip
import io
import json
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from browser import serving
from PIL import Image

from autoencoder import artifacts
from autoencoder.data import Digits
from autoencoder.query.engine import Neighbor
from autoencoder.query.question import Query
from autoencoder.query.search import NearestNeighbors
from autoencoder.study import Study
from autoencoder.ui.charts import DIGIT_COLORS
from autoencoder.ui.pages.map import describe_places, place_all
from autoencoder.ui.sprites import DIGITS, MAPPING, SHEET, Sprites, make_sprites, routes


@pytest.fixture(scope="module")
def three():
    """A gallery of three and its study: blank, full of ink, and one pixel in the middle."""
    images = np.zeros((3, 28, 28), np.float32)
    images[1], images[2, 14, 14] = 1, 0.5
    gallery = Digits("three", images, np.array([4, 0, 9], np.uint8), "")
    return gallery, Study(np.array([[0, 0], [0.25, 1], [1, 0.5]], np.float32), np.zeros((3, 4), np.int64), {})


def opacity(sprites):
    """The sheet's ink, uint8."""
    return np.asarray(Image.open(io.BytesIO(sprites.files[SHEET])).convert("RGBA"))[..., 3]


def read(sprites, name):
    return json.loads(gzip.decompress(sprites.files[name]))


def test_the_sheet_is_as_opaque_as_there_is_ink(three):
    ink = opacity(make_sprites(*three))
    assert ink.shape == (28, 2800)
    assert (ink[:, :28] == 0).all()
    assert (ink[:, 28:56] == 255).all()
    assert ink[14, 56 + 14] == 8 * 17  # of 16 levels the nearest to a half
    assert np.count_nonzero(ink[:, 56:]) == 1


def test_a_hundred_and_first_picture_begins_a_row():
    images = np.zeros((101, 28, 28), np.float32)
    images[100] = 1
    gallery = Digits("many", images, np.zeros(101, np.uint8), "")
    sprites = make_sprites(gallery, Study(np.zeros((101, 2), np.float32), np.zeros((101, 4), np.int64), {}))
    ink = opacity(sprites)
    assert ink.shape == (56, 2800)
    assert (ink[28:, :28] == 255).all()
    assert np.count_nonzero(ink) == 28 * 28
    assert read(sprites, MAPPING)["100"] == {"x": 0, "y": 28, "width": 28, "height": 28, "mask": True}
    assert (read(sprites, DIGITS)[100]["left"], read(sprites, DIGITS)[100]["top"]) == (0, -112)


def test_the_map_has_each_digit_at_its_place_with_up_at_the_top(three):
    digits = read(make_sprites(*three), DIGITS)
    assert [(digit["index"], digit["digit"], digit["x"], digit["y"]) for digit in digits] == [
        (0, 4, 0, 1000),
        (1, 0, 250, 0),
        (2, 9, 1000, 500),
    ]
    assert digits[1]["color"] == [int(DIGIT_COLORS[0][start : start + 2], 16) for start in (1, 3, 5)]


def test_files_are_the_same_each_time_and_another_map_has_another_address(three):
    gallery, study = three
    assert make_sprites(gallery, study) == make_sprites(gallery, study)
    moved = Study(study.positions[::-1], study.neighbors, {})
    assert make_sprites(gallery, moved).version != make_sprites(gallery, study).version


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("http://localhost:8501/map", "http://localhost:8501/sprites/f00/sheet.png"),
        ("http://[::1]:8501/map", "http://[::1]:8501/sprites/f00/sheet.png"),
        ("https://school.example/a/b/map", "https://school.example/a/b/sprites/f00/sheet.png"),
        ("http://school.example/');color:red/map", "http://school.example/%27%29%3Bcolor:red/sprites/f00/sheet.png"),
    ],
)
def test_files_are_beside_the_page_whatever_is_before_it(page, address):
    assert Sprites({}, "f00").address_of(SHEET, page) == address


def test_below_a_path_the_files_are_there_too(monkeypatch):
    monkeypatch.setattr("streamlit.config.get_option", lambda name: "/digits/")
    assert routes()[0].path == "/digits/sprites/{version}/{name}"


@pytest.fixture(scope="module")
def on_map(engine):
    """The digits that the server's map shows."""
    return engine.unseen.gallery


@pytest.fixture(scope="module")
def folder(on_map):
    """The address of the files of a real server."""
    study = Study.load(artifacts.study_path(on_map.name, artifacts.DIRECTORY))
    with serving() as address:
        yield f"{address}/sprites/{make_sprites(on_map, study).version}"


def get(address, **headers):
    response = urlopen(Request(address, headers={name.replace("_", "-"): value for name, value in headers.items()}))
    return response.headers, response.read()


def test_a_browser_keeps_the_sheet(folder, on_map):
    headers, png = get(f"{folder}/{SHEET}")
    assert "immutable" in headers["Cache-Control"]
    assert headers["Content-Type"] == "image/png"
    sheet = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3]
    np.testing.assert_allclose(sheet[:28, 7 * 28 : 8 * 28] / 255, on_map.images[7], atol=0.035)
    assert len(png) < 1_500_000


@pytest.mark.parametrize("name", [MAPPING, DIGITS])
def test_a_table_is_sent_compressed_to_who_can_read_it_and_as_it_is_to_others(folder, name, on_map):
    headers, compressed = get(f"{folder}/{name}", Accept_Encoding="gzip")
    plain_headers, plain = get(f"{folder}/{name}", Accept_Encoding="identity")
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert plain_headers["Content-Encoding"] is None
    assert gzip.decompress(compressed) == plain
    assert len(json.loads(plain)) == len(on_map)


@pytest.mark.parametrize("path", ["none.png", "../f00/sheet.png", "..%2Fapp.py"])
def test_other_names_are_not_found(folder, path):
    with pytest.raises(HTTPError, match="40"):
        get(f"{folder}/{path}")


POSITIONS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)


def asked(found, *, index=None):
    """What a lens is given of a search in six digits, the first four of which are on the map."""
    vectors = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [10, 1e-6], [5, 0]], np.float32)
    on_map = SimpleNamespace(gallery=range(4), nearest=NearestNeighbors(vectors[:4]))
    searched = SimpleNamespace(nearest=SimpleNamespace(vectors=vectors), unseen=on_map)
    neighbors = tuple(Neighbor(place, None, distance) for place, distance in found)
    query = Query(np.zeros((28, 28), np.float32), index)
    return SimpleNamespace(engine=searched, query=query, result=SimpleNamespace(neighbors=neighbors)), on_map


def test_a_query_of_the_map_and_its_neighbors_are_where_they_are():
    places = place_all(*asked([(1, 1.0), (2, 2.0)], index=3), POSITIONS)
    assert places.query.tolist() == [1, 1]
    assert places.neighbors.tolist() == [[1, 0], [0, 1]]
    assert places.is_off.tolist() == [False, False]


def test_a_query_from_elsewhere_is_between_its_neighbors_and_nearer_to_the_nearer():
    for index in (None, 4):
        places = place_all(*asked([(0, 1.0), (1, 3.0)], index=index), POSITIONS)
        np.testing.assert_allclose(places.query, [0.25, 0], atol=1e-4)


def test_a_neighbor_from_elsewhere_is_where_its_own_nearest_are():
    places = place_all(*asked([(4, 1.0), (5, 1.0)]), POSITIONS)
    assert places.is_off.tolist() == [True, True]
    np.testing.assert_allclose(places.neighbors[0], [1, 0], atol=1e-3)  # all but the same as digit 1
    x, y = places.neighbors[1]
    assert x == pytest.approx(0.5, abs=1e-3)  # between 0 and 1, and farther from 2 and 3
    assert 0 < y < 0.5


@pytest.mark.parametrize(
    ("found", "index", "said"),
    [
        ([(1, 1.0)], 3, "The lines lead to the look-alikes."),
        ([(1, 1.0)], None, "Your digit stands between its look-alikes."),
        ([(1, 1.0), (5, 1.0)], 3, "Two rings: not on the map, shown where it would be (1 of 2)."),
    ],
)
def test_what_is_not_on_the_map_is_said(found, index, said):
    question, engine = asked(found, index=index)
    assert said in describe_places(question, engine, place_all(question, engine, POSITIONS))
