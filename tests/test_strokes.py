from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoencoder.ink.strokes import LONGEST_TEXT, from_text, scale_to_canvas, simplify, to_text

COORDINATES = st.lists(st.integers(-500, 795), min_size=2, max_size=2)
DRAWINGS = st.lists(st.lists(COORDINATES, min_size=1, max_size=30), min_size=1, max_size=5)


def as_lists(strokes):
    return [np.asarray(stroke).tolist() for stroke in strokes]


def test_points_on_a_line_are_left_out():
    (stroke,) = simplify([np.array([[0.2, 0], [5, 0.3], [9.9, 0], [10, 7], [10, 20]])])
    assert stroke.tolist() == [[0, 0], [10, 0], [10, 20]]


def test_a_stroke_that_returns_on_itself_keeps_its_far_end():
    (stroke,) = simplify([np.array([[0.0, 0], [50, 0], [100, 0], [20, 0]])])
    assert stroke.tolist() == [[0, 0], [100, 0], [20, 0]]


def test_a_dot_stays_a_dot():
    assert as_lists(simplify([np.array([[3.4, 3.6]])])) == [[[3, 4]]]
    assert as_lists(simplify([np.array([[3.0, 4], [3, 4], [3, 4]])])) == [[[3, 4], [3, 4]]]


def test_what_is_far_outside_is_cut_off():
    (stroke,) = simplify([np.array([[-9000.0, 5], [9000, 5]])])
    assert stroke.tolist() == [[-500, 5], [795, 5]]


@given(DRAWINGS)
def test_simplified_once_more_strokes_stay_as_they_are(drawing):
    once = simplify([np.array(stroke, float) for stroke in drawing])
    assert as_lists(simplify(once)) == as_lists(once)


@given(DRAWINGS)
def test_no_point_is_farther_from_the_simplified_stroke_than_tolerated(drawing):
    for stroke, simple in zip(drawing, simplify([np.array(stroke, float) for stroke in drawing]), strict=True):
        ends = np.concatenate([simple, simple[-1:]])
        for point in np.array(stroke):
            distances = []
            for start, end in pairwise(ends):
                along = end - start
                fraction = np.clip((point - start) @ along / max(along @ along, 1e-9), 0, 1)
                distances.append(np.hypot(*(point - start - fraction * along)))
            assert min(distances) <= 0.5 + 1e-9


@given(DRAWINGS)
def test_a_text_says_the_strokes(drawing):
    strokes = [np.array(stroke) for stroke in drawing]
    assert as_lists(from_text(to_text(strokes))) == drawing


def test_the_text_of_a_corner():
    # 500 is added: 500 = 13 · 36 + 32 is "dw", 510 is "e6", 520 is "eg".
    assert to_text([np.array([[0, 0], [10, 20]]), np.array([[0, 0]])]) == "dwdwe6eg.dwdw"


@pytest.mark.parametrize("text", ["", ".", "dwd", "dwdw.", "dw dw", "dw-w", "ééññ", "0" * (LONGEST_TEXT + 4), "٣٣٣٣"])
def test_a_text_of_no_strokes_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        from_text(text)


def test_scaled_strokes_stand_in_the_middle_of_the_canvas():
    (stroke,) = scale_to_canvas([np.array([[0.0, 0], [1, 2]])], 100)
    assert stroke.tolist() == [[115, 90], [165, 190]]
