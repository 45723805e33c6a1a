"""The wall: each drawing of a class as its author drew it, in a frame that says whether the search found it."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import streamlit as st

from autoencoder.classroom.store import Sent
from autoencoder.data import NO_DIGIT
from autoencoder.ink.strokes import BRUSH_PX, LOWEST
from autoencoder.query.question import from_text
from autoencoder.query.verdict import named, several
from autoencoder.ui.charts import OURS
from autoencoder.ui.loading import load_class, load_engine
from autoencoder.ui.visit import current_visit

STYLE = """
.wall { display: flex; flex-direction: column; gap: 0.5rem; font-family: var(--st-font); color: var(--st-text-color) }
.tiles { display: grid; gap: 0.4rem; grid-template-columns: repeat(auto-fill, minmax(var(--tile), 1fr)) }
h3 { margin: 0.25rem 0 0.25rem; font-size: 1.1rem; font-weight: 600 }
button { font: inherit; color: inherit; cursor: pointer; padding: 0; border-radius: 8px; overflow: hidden;
    background: var(--st-secondary-background-color); border: 3px solid var(--found) }
button.missed { border: 3px dashed var(--missed) }
button:focus-visible, button.chosen { outline: 3px solid var(--st-primary-color); outline-offset: 1px }
svg { display: block; width: 100%; aspect-ratio: 1; background: #000 }
polyline { fill: none; stroke: #fff; stroke-linecap: round; stroke-linejoin: round }
span { display: block; font-size: 0.9rem; line-height: 1.5; white-space: nowrap }
@media (prefers-reduced-motion: no-preference) {
    button.arrives { animation: arrive 0.4s ease-out }
    @keyframes arrive { from { transform: scale(0.3); opacity: 0 } }
}
"""
# The browser draws the strokes. What a drawing shows never changes, so each keeps its tile until it leaves the wall.
SCRIPT = """
const SVG = "http://www.w3.org/2000/svg"
const make = (name, attributes) => {
    const element = document.createElementNS(SVG, name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    return element
}
const pointsOf = (stroke, lowest) => stroke.match(/.{4}/g).map(
    point => [0, 2].map(at => parseInt(point.slice(at, at + 2), 36) + lowest)
)
function drawn(text, { lowest, brush }) {
    const strokes = text.split(".").map(stroke => pointsOf(stroke, lowest))
    const [xs, ys] = [0, 1].map(axis => strokes.flat().map(point => point[axis]))
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
    const side = Math.max(right - left, bottom - top) + 3 * brush
    const box = [(left + right - side) / 2, (top + bottom - side) / 2, side, side]
    const svg = make("svg", { viewBox: box.join(" "), "aria-hidden": true })
    for (const stroke of strokes) {
        const points = (stroke.length > 1 ? stroke : [stroke[0], stroke[0]]).map(point => point.join(",")).join(" ")
        svg.append(make("polyline", { points, "stroke-width": brush }))
    }
    return svg
}
function tileOf(sent, data, choose) {
    const tile = document.createElement("button")
    tile.append(drawn(sent.strokes, data))
    const caption = document.createElement("span")
    caption.textContent = `${sent.digit} ${sent.found ? "✓" : "✗"}`
    tile.append(caption)
    tile.className = sent.found ? "found" : "missed"
    tile.title = sent.said
    tile.setAttribute("aria-label", sent.said)
    tile.onclick = () => choose(sent.number)
    return tile
}
export default function ({ parentElement, data, setTriggerValue }) {
    let wall = parentElement.querySelector(".wall")
    if (!wall) {
        wall = document.createElement("div")
        wall.className = "wall"
        parentElement.append(wall)
    }
    const known = new Map((wall.tiles ?? []).map(tile => [tile.number, tile]))
    const isFirst = !wall.tiles
    wall.tiles = []
    const place = sent => {
        const tile = known.get(sent.number) ?? tileOf(sent, data, number => setTriggerValue("chosen", number))
        if (!known.has(sent.number) && !isFirst) tile.classList.add("arrives")
        tile.number = sent.number
        tile.classList.toggle("chosen", sent.number === data.chosen)
        wall.tiles.push(tile)
        return tile
    }
    for (const [name, value] of Object.entries(data.style)) wall.style.setProperty(name, value)
    wall.replaceChildren(...data.groups.flatMap(({ title, sent }) => {
        const tiles = document.createElement("div")
        tiles.className = "tiles"
        tiles.append(...sent.map(place))
        if (!title) return [tiles]
        const heading = document.createElement("h3")
        heading.textContent = title
        return [heading, tiles]
    }))
}
"""
FOUND_COLOR, MISSED_COLOR = "#2b8a3e", OURS
FEW, TILE_PX, SMALL_TILE_PX = 40, 92, 64  # up to so many drawings have large tiles


def show_wall(sent: Sequence[Sent], *, by_digit: bool, chosen: int | None) -> None:
    """The drawings, newest first, in groups by digit where that is wanted; one that is clicked is asked for.

    `chosen` is the number of the drawing that is marked.
    """
    newest_first, tile_px = sent[::-1], TILE_PX if len(sent) <= FEW else SMALL_TILE_PX
    groups = [("", newest_first)]
    if by_digit:
        by = {digit: [one for one in newest_first if one.digit == digit] for digit in range(NO_DIGIT + 1)}
        groups = [(f"{several(digit)}: {len(ones)}", ones) for digit, ones in by.items() if ones]
    _component()(
        key="wall",
        data={
            "groups": [{"title": title, "sent": [_told(one) for one in ones]} for title, ones in groups],
            "chosen": chosen,
            "style": {"--tile": f"{tile_px}px", "--found": FOUND_COLOR, "--missed": MISSED_COLOR},
            "lowest": LOWEST,
            "brush": BRUSH_PX,
        },
        on_chosen_change=_take_choice,
    )


def choose(number: object) -> None:
    """Ask for a drawing of the class, by its number; what is no number of one asks nothing."""
    room = load_class(load_engine().engine.space).room
    sent = next((one for one in room.wall.sent if one.number == number), None) if room else None
    if sent:
        current_visit().ask(from_text(sent.drawing))


def describe(sent: Sent) -> str:
    """A drawing in words: "a 3, found", or "a 3, taken for an 8"."""
    if sent.found:
        return f"{named(sent.digit)}, found"
    if sent.taken_for in (None, sent.digit):
        return f"{named(sent.digit)}, not found"
    return f"{named(sent.digit)}, taken for {named(sent.taken_for)}"


def counted(n: int) -> str:
    """So many drawings, in words."""
    return "One drawing" if n == 1 else f"{n:,} drawings"


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("wall", css=STYLE, js=SCRIPT)


def _take_choice() -> None:
    choose(st.session_state.wall.get("chosen"))


def _told(sent: Sent) -> dict[str, Any]:
    return {
        "number": sent.number,
        "digit": "–" if sent.digit == NO_DIGIT else str(sent.digit),
        "found": sent.found,
        "said": describe(sent),
        "strokes": sent.drawing.partition("-")[2],
    }
