import csv
import io

import numpy as np
import pytest
from PIL import Image

from autoencoder.ui.take_away import neighbors_table, picture_card


@pytest.fixture(scope="module")
def result(engine, gallery):
    return engine.search(gallery.images[0], 7, exclude=0)


def test_the_table_has_a_row_a_neighbor(result):
    rows = list(csv.DictReader(io.StringIO(neighbors_table(result))))
    assert [int(row["rank"]) for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [int(row["index"]) for row in rows] == [neighbor.index for neighbor in result.neighbors]
    assert [int(row["label"]) for row in rows] == [neighbor.label for neighbor in result.neighbors]
    assert float(rows[0]["distance"]) == pytest.approx(result.neighbors[0].distance, abs=1e-5)


def test_the_card_shows_the_query_and_every_neighbor(result, gallery):
    card = np.asarray(Image.open(io.BytesIO(picture_card(gallery.images, result, "Good."))).convert("L"))
    for digit in (result.query, gallery.images[result.neighbors[-1].index]):
        tile = np.asarray(Image.fromarray(np.round(digit * 255).astype(np.uint8)).resize((140, 140), 0))
        windows = np.lib.stride_tricks.sliding_window_view(card, (140, 140))[:, 20::160]
        assert (windows == tile).all(axis=(2, 3)).any()
