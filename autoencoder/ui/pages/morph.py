"""The Morph page: decoded points between two latents, and what each of the 32 numbers does."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from autoencoder.data import Digits
from autoencoder.query.engine import Engine, SearchResult
from autoencoder.query.question import Query
from autoencoder.query.verdict import judge, named
from autoencoder.ui.lesson import LARGE_PX, begin, show_query, show_row
from autoencoder.ui.pictures import show_digit

N_FRAMES = 11


def morph_page() -> None:
    """From one digit to another in a straight line, and one knob turned at a time."""
    engine = begin("Morph", "The decoder draws any 32 numbers, also those that no digit has given.")
    query = show_query(engine)
    result = engine.search(query.digit, exclude=query.index)
    _show_line(engine, result, query)
    _show_knob(engine, result.latent)


def _show_line(engine: Engine, result: SearchResult, query: Query) -> None:
    st.subheader("From the query to another digit", anchor=False)
    goals = {f"neighbor {rank}, {named(found.label)}": found.index for rank, found in enumerate(result.neighbors, 1)}
    firsts = {digit: _first_of(engine.gallery, digit, query.index) for digit in range(10)}
    goals |= {f"another digit, {named(digit)}": index for digit, index in firsts.items() if index is not None}
    digit = judge([found.label for found in result.neighbors], digit=query.label).digit
    another = next((n for n, index in enumerate(goals.values()) if engine.gallery.label(index) not in (digit, None)), 0)
    goal = st.selectbox("To", list(goals), another, key=f"goal-{result.latent[0]}", width=260)
    share = st.slider("How far", 0, 100, 50, 5, format="%d%%", key="share")
    start, end = result.latent, engine.nearest.vectors[goals[goal]]
    shares = np.append(np.linspace(0, 1, N_FRAMES), share / 100)[:, None]
    frames = engine.space.inverse_transform(((1 - shares) * start + shares * end).astype(np.float32))
    show_digit(frames[-1], alt=f"{share} % of the way", width=LARGE_PX)
    percents = [f"{of_way:.0%}" for of_way in shares[:-1, 0]]
    show_row(frames[:-1], percents, [f"{percent} of the way" for percent in percents])
    st.caption(
        "Points on the straight line between the two latents, decoded. Are those in between still digits, and which?"
    )


def _first_of(gallery: Digits, digit: int, query_index: int | None) -> int | None:
    """The index of the first digit of a kind in a gallery, the query left out; None where there is none."""
    indices = np.flatnonzero(gallery.labels == digit)
    return next((int(index) for index in indices if index != query_index), None)


def _show_knob(engine: Engine, latent: NDArray[np.float32]) -> None:
    st.subheader("Turn one knob", anchor=False)
    number = st.slider("Which of the 32 numbers", 1, len(latent), 1, key="knob")
    column = engine.nearest.vectors[:, number - 1]
    own = float(latent[number - 1])
    low, high = min(float(column.min()), own), max(float(column.max()), own)  # a drawing may go beyond the gallery
    value = st.slider("Its value", low, high, own, key=f"value-{number}-{latent[0]}")
    values = np.append(np.linspace(low, high, N_FRAMES), value)
    latents = np.tile(latent, (len(values), 1))
    latents[:, number - 1] = values
    frames = engine.space.inverse_transform(latents)
    before, after = "As it is", f"With number {number} turned"
    show_row(
        np.stack([engine.space.inverse_transform(latent[None])[0], frames[-1]]),
        [before, after],
        [before, f"number {number} at {value:.2f}"],
        width=LARGE_PX,
    )
    show_row(frames[:-1], [f"{of:.1f}" for of in values[:-1]], [f"number {number} at {of:.1f}" for of in values[:-1]])
    st.caption(
        f"The query's 32 numbers with number {number} changed, decoded. Among the gallery's digits it goes from "
        f"{column.min():.1f} to {column.max():.1f}; the query's own is {own:.2f}."
    )
