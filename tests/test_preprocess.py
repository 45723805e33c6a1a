import numpy as np
import pytest

from autoencoder.ink.preprocess import (
    MAX_MEAN_INK,
    NoDigitError,
    digit_from_strokes,
    ink_from_gray,
    normalize_ink,
    shrink_strokes,
    to_bytes,
)
from autoencoder.ink.strokes import scale_to_canvas


def test_ink_is_cropped_scaled_to_20_pixels_and_centered_by_mass():
    ink = np.zeros((100, 100), np.float32)
    ink[10:50, 60:70] = 1  # 40 x 10: halved it is 20 x 5
    digit = normalize_ink(ink)
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    assert (len(rows), len(columns)) == (20, 5)
    assert digit.sum() == pytest.approx(100, rel=0.02)
    # A 20 x 5 bar has its center of mass at (9.5, 2), rounded to (10, 2): put on (14, 14).
    assert (rows[0], columns[0]) == (4, 12)


def test_a_heavy_end_is_nearer_the_center_than_the_light_one():
    ink = np.zeros((20, 20), np.float32)
    ink[:, 8:12] = 1
    ink[:4, 4:16] = 1  # a T: 48 pixels at row 1.5 and 64 at row 11.5, so its mass is at row 7.2
    digit = normalize_ink(ink)
    assert np.flatnonzero(digit.any(axis=1))[0] == 14 - 7


def test_a_digit_of_the_gallery_passes_unchanged(gallery):
    changes = [np.abs(normalize_ink(digit) - digit).mean() for digit in gallery.images[:500]]
    assert np.mean(changes) < 0.001


def test_preparation_changes_nothing_in_its_argument():
    ink = np.zeros((40, 40), np.float32)
    ink[5:30, 10:14] = 0.5
    before = ink.copy()
    normalize_ink(ink)
    assert np.array_equal(ink, before)


def test_size_and_place_of_a_drawing_do_not_matter(drawings):
    strokes = [np.array(stroke, float) for stroke in drawings[3][0]]
    moved = [stroke * 0.31 + [100, 7] for stroke in strokes]
    assert np.abs(digit_from_strokes(strokes) - digit_from_strokes(moved)).max() < 0.2
    assert np.abs(digit_from_strokes(strokes) - digit_from_strokes(moved)).mean() < 0.002


def test_a_drawn_line_is_as_wide_as_a_pen_of_mnist():
    digit = digit_from_strokes([[(0, 0), (0, 100)]])
    assert digit[14].sum() == pytest.approx(2.1, abs=0.3)
    assert len(np.flatnonzero(digit.any(axis=1))) == 20


def test_y_points_down():
    digit = digit_from_strokes([[(0, 0), (50, 0)], [(25, 0), (25, 50)]])  # a T
    rows = digit.sum(axis=1)
    top = np.flatnonzero(rows)[0]
    assert rows[top : top + 3].sum() > 3 * rows[top + 10 : top + 13].sum()


@pytest.mark.parametrize("strokes", [[], [[]]])
def test_no_strokes_are_a_blank_canvas(strokes):
    with pytest.raises(NoDigitError, match="blank"):
        digit_from_strokes(strokes)


def test_a_stroke_no_larger_than_a_dot_is_a_dot():
    with pytest.raises(NoDigitError, match="Just a dot"):
        digit_from_strokes([[(5, 5)]])
    with pytest.raises(NoDigitError, match="Just a dot"):
        digit_from_strokes([[(5, 5), (9, 9)]], dot_size=10)


def test_a_scribble_is_refused():
    zigzag = [(x, y) for y in range(0, 200, 4) for x in (0, 200)]
    with pytest.raises(NoDigitError, match="more ink"):
        digit_from_strokes([zigzag])


def test_no_ink_is_refused():
    with pytest.raises(NoDigitError, match="no ink"):
        normalize_ink(np.zeros((28, 28), np.float32))


def test_strokes_that_are_not_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        digit_from_strokes([[(0, 0), (np.nan, 1)]])


def test_a_stroke_that_leaves_the_picture_does_not_tilt_the_paper():
    digit = np.full((100, 100), 200, np.uint8)
    digit[:, 45:55] = 30  # a 1 from edge to edge
    ink = ink_from_gray(digit.astype(np.float32) / 255)
    assert ink[:, 47:53].min() > 0.99
    assert ink[:, :40].max() < 0.01


def test_the_fattest_digit_of_mnist_is_no_scribble(gallery):
    assert gallery.images[:].mean(axis=(1, 2)).max() < MAX_MEAN_INK


def test_what_varies_on_the_border_is_paper():
    # Evenly from 0.78 to 0.82, so half of it is within 0.01 of the middle: the grain is 4 · 1.4826 · 0.01 = 0.059.
    gray = np.random.default_rng(0).permutation(np.linspace(0.78, 0.82, 10_000)).reshape(100, 100)
    gray[40:60, 40:60] = 0.1
    gray[70, 70], gray[80, 80] = 0.76, 0.7
    ink = ink_from_gray(gray)
    assert ink[40, 40] > 0.99
    assert ink[70, 70] == 0
    assert ink[80, 80] == pytest.approx((0.1 - 0.059) / (0.7 - 0.059), abs=0.02)


def test_a_stroke_that_touches_the_border_is_ink():
    gray = np.full((10, 10), 0.9)
    gray[:, 4:6] = 0.0
    ink = ink_from_gray(gray)
    assert ink[:, 4:6].min() == 1
    assert ink.sum() == 20


def test_only_shrunk_a_drawing_stays_where_and_as_large_as_it_is():
    digit = shrink_strokes([[(60, 50), (60, 90)]], canvas_px=280, brush_px=20)
    # In tens of canvas pixels: from y = 50 - 10 to 90 + 10, and from x = 60 - 10 to 60 + 10.
    assert digit[4:10, 5:7].sum() > 0.9 * digit.sum()
    assert digit[5:9, 5:7].min() > 0.85  # Pillow fills an edge pixel or not


def test_strokes_beside_the_canvas_are_no_digit():
    with pytest.raises(NoDigitError):
        shrink_strokes([[(300, 300), (320, 400)]], canvas_px=280, brush_px=18)


def test_bytes_are_the_nearest_of_256_levels():
    levels = to_bytes(np.array([[0, 0.4 / 255, 0.6 / 255, 0.5, 1]], np.float32))
    assert levels.dtype == np.uint8
    assert levels.tolist() == [[0, 0, 1, 128, 255]]


def test_a_digit_has_256_levels(drawings):
    strokes = scale_to_canvas([np.array(stroke, float) for stroke in drawings[3][0]], 170)
    for digit in (digit_from_strokes(strokes), shrink_strokes(strokes, canvas_px=280, brush_px=18)):
        np.testing.assert_array_equal(np.round(digit * 255).astype(np.float32) / 255, digit)
