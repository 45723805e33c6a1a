"""What becomes of the query: how the model sees it, how it draws it again, and how well."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from autoencoder.query.engine import Engine, SearchResult
from autoencoder.ui.glossary import explain
from autoencoder.ui.pictures import show_digit, show_outline

BADLY_REDRAWN = 0.95  # of the gallery's digits are redrawn better
REDRAWN = (0.25, "small"), (0.75, "about average"), (BADLY_REDRAWN, "large"), (1, "very large")
NEAR = (0.25, "near"), (0.75, "about average"), (0.95, "far"), (1, "very far")
SEES, REDRAWS, DIFFERS = "The model sees", "It redraws", "The difference"
TILE_PX = 96


def show_seen(result: SearchResult, *, difference: bool) -> None:
    """The query as the model sees it and its reconstruction, in figures, too; `difference` shows that of the two."""
    with st.container(horizontal=True, gap="small"):
        show_digit(result.query, alt="the query as the model sees it", caption=SEES, width=TILE_PX)
        show_digit(result.reconstruction, alt="the reconstruction", caption=REDRAWS, width=TILE_PX)
        if difference:
            apart = np.abs(result.reconstruction - result.query)
            show_digit(apart, alt="the difference of the two", caption=DIFFERS, width=TILE_PX)
    compared = _in_words(result.error_rank, REDRAWN)
    better = f"{_of_100(result.error_rank)} of 100 digits are redrawn better."
    st.caption(
        f"Redrawing error **{result.reconstruction_mse:.4f}**: {compared}",
        help=f"{better} {explain('redrawing error')} {explain('reconstruction')}",
    )


def show_nothing_seen() -> None:
    """As much room as that takes."""
    with st.container(horizontal=True, gap="small"):
        for caption in (SEES, REDRAWS):
            show_outline(alt="nothing yet", caption=caption, width=TILE_PX)


def describe_distance(distance: float, engine: Engine) -> str:
    """The nearest neighbor's distance, and how it compares with those of the gallery's own digits."""
    nearer = 1 - engine.typical.closer_than(distance)
    return (
        f"Distance **{distance:.2f}**: {_in_words(nearer, NEAR)} "
        f"({_of_100(nearer)} of 100 digits have a nearer look-alike)"
    )


def _in_words(share: float, words: Sequence[tuple[float, str]]) -> str:
    """A share of digits that are better, in a word."""
    return next(word for most, word in words if share <= most)


def _of_100(share: float) -> int:
    return min(round(100 * share), 99)
