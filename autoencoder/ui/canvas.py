"""The drawing canvas and its buttons."""

import numpy as np
import streamlit as st

from autoencoder.ink.strokes import BRUSH_PX, CANVAS_PX, simplify

INK, PAPER = "#ffffff", "#000000"
CURVE_STEPS = np.array([[0.25], [0.5], [0.75], [1]])  # of the way along a curve: the points that it is replaced by
CURVE_WEIGHTS = np.hstack([(1 - CURVE_STEPS) ** 2, 2 * CURVE_STEPS * (1 - CURVE_STEPS), CURVE_STEPS**2])
NUMBERS_OF = {"M": 2, "L": 2, "Q": 4}  # a command of a path: move, line, quadratic curve
MOST_COMMANDS, MOST_OF_A_STROKE = 4000, 1000  # of a drawing: minutes of scribbling; and without lifting the pen
FARTHEST_PX = 100_000  # from the canvas' corner: its editing tool may move a stroke outside
BLANK = {"objects": []}
# The canvas waits for 200 ms after a stroke before it sends the drawing, in case there is another. Its own button,
# "Update the app with this drawing", sends it at once: so a stroke's end presses it.
SEND_AT_ONCE = """<script>
if (!window.sendsAtOnce) {
    window.sendsAtOnce = true
    let send
    const begin = event => {
        const [target, ...around] = event.composedPath()
        const canvas = target.tagName === "CANVAS" && !event.button && around.find(node => node instanceof ShadowRoot)
        send = canvas && canvas.querySelector("button[aria-label^='Update the app']")
    }
    const end = event => {
        if (!send || event.touches?.length) return  // another finger still draws
        setTimeout(button => button.isConnected && button.click(), 0, send)  // once the canvas has taken the stroke up
        send = null
    }
    for (const name of ["mousedown", "touchstart"]) addEventListener(name, begin, {capture: true, passive: true})
    for (const name of ["mouseup", "touchend"]) addEventListener(name, end, {capture: true, passive: true})
}
</script>"""


class TooLongError(ValueError):
    """A drawing has more points than can be followed at the pace of a pen."""


def draw_canvas():
    """Show the canvas. What is drawn there is kept in the session, so that it outlasts a look at another source."""
    from streamlit_drawable_canvas import st_canvas  # registers itself, which works under a running app alone

    state = st.session_state
    state.setdefault("drawing", BLANK)
    state.setdefault("canvas_start", BLANK)
    with st.container(gap=None):  # for the script takes no room
        st_canvas(
            stroke_width=BRUSH_PX,
            stroke_color=INK,
            background_color=PAPER,
            height=CANVAS_PX,
            width=CANVAS_PX,
            initial_drawing=state.canvas_start,
            key="canvas",
            on_change=_keep_drawing,
        )
        st.html(SEND_AT_ONCE, unsafe_allow_javascript=True)
    if hint := state.pop("canvas_hint", None):
        st.toast(hint, icon=":material/draw:")


def strokes():
    """The visitor's drawing as `simplify` gives it, or None where it is blank."""
    return st.session_state.get("strokes") or None


def show_strokes(strokes):
    """Have the canvas show strokes, as `simplify` gives them, when it is next shown."""
    _restart({"objects": [_fabric_path(stroke) for stroke in strokes]})


def undo_and_clear():
    """Two buttons: take the last stroke back, or all of them. (The canvas' own show only under a mouse.)"""
    blank = not st.session_state.get("drawing", BLANK)["objects"]
    st.button("Undo", icon=":material/undo:", key="undo", on_click=_undo, disabled=blank)
    st.button("Clear", icon=":material/delete:", key="clear", on_click=_restart, args=(BLANK,), disabled=blank)


def restore_drawing():
    """Have the canvas start from the kept drawing when it is next shown."""
    _restart(st.session_state.get("drawing", BLANK))


def strokes_from_fabric(drawing):
    """The strokes of a Fabric.js drawing, as they stand on its canvas.

    Args:
        drawing: the canvas' `json_data`; each of its `objects` is a path of moves, lines and quadratic curves, which
            the canvas' own editing tool may have moved, turned and scaled.

    Returns:
        list of float64 (n_points, 2), (x, y) in pixels, y down.

    Raises:
        TooLongError: it has more than 4000 commands, or one path has more than 1000.
        ValueError: `drawing` is no such thing.
    """
    try:
        n_commands = [len(path["path"]) for path in drawing["objects"]]
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"expected a Fabric.js drawing of paths, received another ({error!r})") from None
    if sum(n_commands) > MOST_COMMANDS or max(n_commands, default=0) > MOST_OF_A_STROKE:
        limits = f"{MOST_COMMANDS} commands, {MOST_OF_A_STROKE} a path"
        raise TooLongError(f"expected at most {limits}, received {n_commands}")
    try:
        strokes = [_on_canvas(path, _flatten(path["path"])) for path in drawing["objects"]]
    except (TypeError, KeyError, IndexError, ValueError, OverflowError) as error:
        raise ValueError(f"expected a Fabric.js drawing of paths, received another ({error!r})") from None
    if not all((np.abs(stroke) < FARTHEST_PX).all() for stroke in strokes):
        raise ValueError(f"expected points within {FARTHEST_PX} pixels, received farther ones or NaN")
    return strokes


def _keep_drawing():
    try:
        drawing = st.session_state.canvas["drawing"]["raw"]
        strokes = simplify(strokes_from_fabric(drawing))
    except TooLongError:
        st.session_state.canvas_hint = "That stroke was too long to follow, so it is gone: draw a shorter one."
        restore_drawing()
        return
    except (KeyError, TypeError, ValueError):
        return  # the canvas sends no such thing: somebody else does, and gets the drawing that was there
    st.session_state.drawing, st.session_state.strokes = drawing, strokes


def _undo():
    _restart({"objects": st.session_state.drawing["objects"][:-1]})


def _restart(drawing):
    """Have the canvas show a drawing: it takes up another start, and tells them apart by their number."""
    state = st.session_state
    state.drawing, state.strokes = drawing, simplify(strokes_from_fabric(drawing))
    state.canvas_start = drawing | {"number": state.get("canvas_start", BLANK).get("number", 0) + 1}


def _fabric_path(stroke):
    """A stroke int (n_points, 2) as an object of a Fabric.js drawing, drawn as the canvas' own brush does."""
    (first_x, first_y), *others = stroke.tolist()
    centre = (stroke.min(axis=0) + stroke.max(axis=0)) / 2
    return {
        "type": "Path",
        "path": [["M", first_x, first_y], *(["L", x, y] for x, y in others)],
        "left": float(centre[0]),
        "top": float(centre[1]),
        "originX": "center",
        "originY": "center",
        "fill": None,
        "stroke": INK,
        "strokeWidth": BRUSH_PX,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def _flatten(commands):
    """The points of a path, its curves replaced by short lines."""
    points = []
    for command, *numbers in commands:
        if len(numbers) != NUMBERS_OF.get(command):
            raise ValueError(f"expected M and L with 2 numbers, Q with 4, received {command!r} with {len(numbers)}")
        ends = np.array(numbers, np.float64).reshape(-1, 2)
        points.extend(CURVE_WEIGHTS @ [points[-1], *ends] if command == "Q" else ends)
    return np.array(points)


def _on_canvas(path, points):
    """Points of a path moved from its own coordinates to where the object stands, as Fabric.js places it."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    angle, skew_x, skew_y = np.radians([path.get(name, 0) for name in ("angle", "skewX", "skewY")])
    scale_x = path.get("scaleX", 1) * (-1 if path.get("flipX") else 1)
    scale_y = path.get("scaleY", 1) * (-1 if path.get("flipY") else 1)
    rotation = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    skew = np.array([[1, np.tan(skew_x)], [0, 1]]) @ [[1, 0], [np.tan(skew_y), 1]]
    matrix = rotation @ np.diag([scale_x, scale_y]) @ skew
    return (points - centre) @ matrix.T + [path["left"], path["top"]]
