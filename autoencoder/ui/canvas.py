"""The drawing canvas and its buttons."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray

from autoencoder.ink.strokes import BRUSH_PX, CANVAS_PX
from autoencoder.query.question import Drawing
from autoencoder.ui.visit import DRAW, Visit, current_visit

INK, PAPER = "#ffffff", "#000000"
CURVE_STEPS = np.array([[0.25], [0.5], [0.75], [1]])  # where on a curve the points lie that replace it; 1 is its end
CURVE_WEIGHTS = np.hstack([(1 - CURVE_STEPS) ** 2, 2 * CURVE_STEPS * (1 - CURVE_STEPS), CURVE_STEPS**2])
NUMBERS_OF = {"M": 2, "L": 2, "Q": 4}  # a command of a path: move, line, quadratic curve
MOST_COMMANDS = 4000  # in a drawing: minutes of scribbling
MOST_OF_A_STROKE = 1000  # without lifting the pen
FARTHEST_PX = 100_000  # from the canvas' corner: its editing tool may move a stroke outside
# The canvas waits for 200 ms after a stroke before it sends the drawing, in case there is another. Its own button,
# "Update the app with this drawing", sends it at once: so a stroke's end presses it. Its bar of tools is hidden: it
# would cover the drawing's corner, and Undo and Clear stand below the canvas.
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
    const hideTools = event => {
        const canvas = event.composedPath().find(node => node instanceof ShadowRoot)
        if (!canvas?.querySelector(".dc-toolbar") || canvas.querySelector(".no-tools")) return
        const style = document.createElement("style")
        style.className = "no-tools"
        style.textContent = ".dc-toolbar { display: none !important }"
        canvas.append(style)
    }
    addEventListener("pointerover", hideTools, {capture: true, passive: true})  // they show when a pointer comes
    for (const name of ["mousedown", "touchstart"]) addEventListener(name, begin, {capture: true, passive: true})
    for (const name of ["mouseup", "touchend"]) addEventListener(name, end, {capture: true, passive: true})
}
</script>"""


class TooLongError(ValueError):
    """A drawing has more points than can be followed at the pace of a pen."""


def draw_canvas(visit: Visit) -> None:
    """Show the canvas, and have the visit's drawing follow the pen."""
    from streamlit_drawable_canvas import st_canvas  # registers itself, which works under a running app alone

    st_canvas(
        stroke_width=BRUSH_PX,
        stroke_color=INK,
        background_color=PAPER,
        height=CANVAS_PX,
        width=CANVAS_PX,
        initial_drawing=_fabric_from_drawing(visit.canvas_start) | {"number": visit.canvas_starts},
        key="canvas",
        on_change=_take_drawing,
    )


def send_strokes_at_once() -> None:
    """Have each stroke sent when the pen is lifted; to be called outside of what a stroke runs again."""
    st.html(SEND_AT_ONCE, unsafe_allow_javascript=True)


def show_undo_and_clear(visit: Visit) -> None:
    """Two buttons: take the last stroke back, or all of them, to which `go_back` returns."""
    blank = not isinstance(visit.question, Drawing)
    st.button("Undo", icon=":material/undo:", key="undo", on_click=visit.undo_stroke, disabled=blank)
    st.button("Clear", icon=":material/delete:", key="clear", on_click=visit.ask, args=(None, DRAW), disabled=blank)


def strokes_from_fabric(drawing: Any) -> list[NDArray[np.float64]]:
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


def _take_drawing() -> None:
    """Have the visit ask for what is on the canvas."""
    visit = current_visit()
    try:
        strokes = strokes_from_fabric(st.session_state.canvas["drawing"]["raw"])
    except TooLongError:
        hint = "That stroke was too long to follow, so it is gone: draw a shorter one."
        st.toast(hint, icon=":material/draw:")
        visit.restart_canvas()
    except (KeyError, TypeError, ValueError):
        pass  # the canvas sends no such thing: somebody else does, and the drawing stays as it was
    else:
        visit.draw(Drawing.of(strokes))


def _fabric_from_drawing(drawing: Drawing | None) -> dict[str, Any]:
    """A drawing as a Fabric.js drawing, its strokes as the canvas' own brush draws them."""
    return {"objects": [_fabric_path(np.array(stroke)) for stroke in drawing.strokes] if drawing else []}


def _fabric_path(stroke: NDArray[np.int64]) -> dict[str, Any]:
    """A stroke int (n_points, 2) as an object of a Fabric.js drawing."""
    (first_x, first_y), *others = stroke.tolist()
    center_x, center_y = ((stroke.min(axis=0) + stroke.max(axis=0)) / 2).tolist()
    return {
        "type": "Path",
        "path": [["M", first_x, first_y], *(["L", x, y] for x, y in others)],
        "left": center_x,
        "top": center_y,
        "originX": "center",
        "originY": "center",
        "fill": None,
        "stroke": INK,
        "strokeWidth": BRUSH_PX,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def _flatten(commands: list[list[Any]]) -> NDArray[np.float64]:
    """The points of a path, its curves replaced by short lines."""
    points: list[ArrayLike] = []
    for command, *numbers in commands:
        if len(numbers) != NUMBERS_OF.get(command):
            raise ValueError(f"expected M and L with 2 numbers, Q with 4, received {command!r} with {len(numbers)}")
        ends = np.array(numbers, np.float64).reshape(-1, 2)
        points.extend(CURVE_WEIGHTS @ [points[-1], *ends] if command == "Q" else ends)
    return np.array(points)


def _on_canvas(path: dict[str, Any], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a path moved from its own coordinates to where the object stands, as Fabric.js places it."""
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    angle, skew_x, skew_y = np.radians([path.get(name, 0) for name in ("angle", "skewX", "skewY")])
    scale_x = path.get("scaleX", 1) * (-1 if path.get("flipX") else 1)
    scale_y = path.get("scaleY", 1) * (-1 if path.get("flipY") else 1)
    rotation = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    skew = np.array([[1, np.tan(skew_x)], [0, 1]]) @ [[1, 0], [np.tan(skew_y), 1]]
    matrix = rotation @ np.diag([scale_x, scale_y]) @ skew
    return (points - center) @ matrix.T + [path["left"], path["top"]]
