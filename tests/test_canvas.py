import threading

import numpy as np
import pytest

from autoencoder.ink.strokes import simplify
from autoencoder.query.question import Drawing
from autoencoder.ui import canvas
from autoencoder.ui.canvas import strokes_from_fabric


def path(commands, left, top, **how):
    return {"type": "Path", "path": commands, "left": left, "top": top} | how


LINE = [["M", 0, 0], ["L", 10, 20]]


def test_a_blank_canvas_has_no_strokes():
    assert strokes_from_fabric({"objects": []}) == []


def test_a_line_keeps_its_points():
    (stroke,) = strokes_from_fabric({"objects": [path(LINE, 5, 10)]})
    assert stroke.tolist() == [[0, 0], [10, 20]]


def test_a_curve_passes_its_middle():
    curve = [["M", 0, 0], ["Q", 5, 20, 10, 0]]
    (stroke,) = strokes_from_fabric({"objects": [path(curve, 5, 5)]})
    assert stroke[0].tolist() == [0, 0]
    assert stroke[2].tolist() == [5, 10]  # half-way: a quarter of each end and half of the control point
    assert stroke[-1].tolist() == [10, 0]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"left": 105}, [[100, 0], [110, 20]]),
        ({"scaleX": 2}, [[-5, 0], [15, 20]]),
        ({"flipX": True}, [[10, 0], [0, 20]]),
        ({"angle": 90}, [[15, 5], [-5, 15]]),
        ({"skewX": 45}, [[-10, 0], [20, 20]]),
    ],
)
def test_what_the_editing_tool_did_is_followed(how, expected):
    (stroke,) = strokes_from_fabric({"objects": [path(LINE, **({"left": 5, "top": 10} | how))]})
    np.testing.assert_allclose(stroke, expected, atol=1e-9)


@pytest.mark.parametrize(
    "drawing",
    [
        None,
        {},
        {"objects": ["x"]},
        {"objects": [{"path": LINE}]},
        {"objects": [path([["Q", 1, 2, 3, 4]], 0, 0)]},
        {"objects": [path([["M", 0, 0], ["C", 1, 2, 3, 4, 5, 6]], 0, 0)]},
        {"objects": [path([[]], 0, 0)]},
        {"objects": [path("M 0 0", 0, 0)]},
        {"objects": [path([["M", 0, 0], ["L", None, 1]], 0, 0)]},
        {"objects": [path([["M", 0, 0], ["L", 1e300, 1]], 0, 0)]},
        {"objects": [path(LINE, float("nan"), 0)]},
    ],
)
def test_what_no_canvas_sends_is_refused(drawing):
    with pytest.raises(ValueError, match="expected"):
        strokes_from_fabric(drawing)


def test_a_stroke_or_a_drawing_without_end_is_refused():
    longest = path([["M", 0, 0], *([["L", 10, 20]] * (canvas.MOST_OF_A_STROKE - 1))], 0, 0)
    four = canvas.MOST_COMMANDS // canvas.MOST_OF_A_STROKE
    assert len(strokes_from_fabric({"objects": [longest] * four})) == four
    with pytest.raises(canvas.TooLongError, match="at most 4000"):
        strokes_from_fabric({"objects": [*[longest] * four, path(LINE, 0, 0)]})
    longest["path"].append(["L", 10, 20])
    with pytest.raises(canvas.TooLongError, match="1000 a path"):
        strokes_from_fabric({"objects": [longest]})


def test_the_longest_stroke_is_simplified_on_a_small_stack():
    # GEOS recurses at each point that it keeps, of which there are four a command.
    zigzag = np.array([[0, 0], [100, 0], [50, 90]])[np.arange(4 * canvas.MOST_OF_A_STROKE) % 3]
    kept = []
    before = threading.stack_size(2**20)
    thread = threading.Thread(target=lambda: kept.extend(simplify([zigzag])))
    thread.start()
    threading.stack_size(before)
    thread.join()
    assert len(kept[0]) == len(zigzag)


def test_a_drawing_put_on_the_canvas_is_the_one_that_comes_back():
    drawing = Drawing.of([np.array([[10, 20], [30, 80], [200, 81]]), np.array([[5, 5]])])
    assert Drawing.of(strokes_from_fabric(canvas._fabric_from_drawing(drawing))) == drawing
    assert canvas._fabric_from_drawing(None) == {"objects": []}
