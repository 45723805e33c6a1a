import base64
import io

import numpy as np
import pytest
from PIL import Image

from autoencoder.ui.animation import (
    ENLARGEMENT,
    FRAME_MS,
    HOLD_MS,
    PAIR_ENLARGEMENT,
    durations_ms,
    pair_sheet,
    play,
    there_and_back,
)


def picture(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def shown(uri):
    """The frames that a browser plays, and how long each stands."""
    image = picture(uri)
    frames, durations = [], []
    for number in range(image.n_frames):
        image.seek(number)
        frames.append(np.asarray(image.convert("L")))
        durations.append(image.info["duration"])
    return np.stack(frames), durations


def test_frames_are_played_to_the_last_and_back():
    assert there_and_back(np.arange(4, dtype=np.uint8)).tolist() == [0, 1, 2, 3, 2, 1]
    assert there_and_back(np.arange(2, dtype=np.uint8)).tolist() == [0, 1]


def test_the_ends_stand_longer_than_what_is_between():
    assert durations_ms(4) == [HOLD_MS, FRAME_MS, FRAME_MS, HOLD_MS, FRAME_MS, FRAME_MS]
    assert durations_ms(2) == [HOLD_MS, HOLD_MS]


def test_what_is_played_is_what_was_given():
    frames = np.zeros((3, 28, 28), np.float32)
    frames[0, 2, 5], frames[1, 2, 6], frames[2, 2, 7] = 1, 1, 1
    played, durations = shown(play(frames))
    assert durations == durations_ms(3)
    assert played.shape == (4, 28 * ENLARGEMENT, 28 * ENLARGEMENT)
    white = [np.argwhere(frame[ENLARGEMENT // 2 :: ENLARGEMENT, ENLARGEMENT // 2 :: ENLARGEMENT]) for frame in played]
    assert [places.tolist() for places in white] == [[[2, 5]], [[2, 6]], [[2, 7]], [[2, 6]]]


def test_it_plays_ten_frames_a_second_or_more_and_without_end():
    assert FRAME_MS <= 100
    assert picture(play(np.random.default_rng(0).random((3, 28, 28), np.float32))).info["loop"] == 0


def test_pixels_stay_crisp():
    frames = np.random.default_rng(0).random((2, 28, 28), np.float32)
    played, _ = shown(play(frames))
    squares = played.reshape(2, 28, ENLARGEMENT, 28, ENLARGEMENT)
    assert (squares == squares[:, :, :1, :, :1]).all()
    assert np.abs(squares[:, :, 0, :, 0] / 255 - frames).max() < 0.01


def test_frames_that_are_alike_stand_as_long_as_all_of_them():
    frames = np.zeros((4, 28, 28), np.float32)
    frames[3] = 1
    _, durations = shown(play(frames))
    assert sum(durations) == sum(durations_ms(4))


def test_a_way_is_small_enough_to_be_sent_at_each_question(gallery):
    shares = np.linspace(0, 1, 21, dtype=np.float32)[:, None, None]
    way = (1 - shares) * gallery.images[7] + shares * gallery.images[3]
    assert len(play(way)) < 100_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_sheet_has_each_pair_below_its_title(theme):
    pairs = np.zeros((3, 2, 28, 28), np.float32)
    pairs[0, 0], pairs[2, 1] = 1, 1  # the first of the first row is white, and the second of the second row
    sheet = np.asarray(picture(pair_sheet(pairs, ["1", "2", "3"], n_columns=2, theme=theme)).convert("RGBA"))
    height, width, _ = sheet.shape
    side = 28 * PAIR_ENLARGEMENT
    first, last = sheet[height // 2 - side // 2 - 20, side // 2], sheet[height - side // 2, side + side // 2]
    assert first.tolist() == last.tolist() == [255, 255, 255, 255]
    assert sheet[height - side // 2, side // 2].tolist() == [0, 0, 0, 255]
    assert sheet[height - side // 2, width - 5].tolist() == [0, 0, 0, 0]  # there is no fourth pair
    title = sheet[:20, :20]
    assert title[..., 3].any()
    letters = title[title[..., 3] > 200][:, 0].astype(int)
    assert letters.max() < 100 if theme == "light" else letters.min() > 150
