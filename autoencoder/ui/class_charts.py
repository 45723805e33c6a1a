"""The charts of a class: how much of what it drew was found, and what the gallery gains by it."""

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autoencoder.query.verdict import SAID_OTHERWISE
from autoencoder.ui.charts import OURS, SPACE_COLORS
from autoencoder.ui.wall import FOUND_COLOR, MISSED_COLOR

NAMES_OF_CURVES = "gallery alone", "with the class"


def found_bars(by_digit: dict[int, tuple[int, int]]) -> alt.LayerChart:
    """For each digit how many were drawn, and how many of them were found."""
    rows = [
        {"digit": SAID_OTHERWISE.get(digit, str(digit)), "what": what, "drawings": n, "order": order}
        for digit, (found, many) in by_digit.items()
        for order, (what, n) in enumerate((("found", found), ("not found", many - found)))
    ]
    totals = [
        {"digit": SAID_OTHERWISE.get(digit, str(digit)), "drawings": many, "said": f"{found} of {many}"}
        for digit, (found, many) in by_digit.items()
    ]
    room_for_words = 1.2 * max(many for _, many in by_digit.values())
    y = alt.Y("digit:N", sort=None, title="Digit that was meant", axis=alt.Axis(labelOverlap=False))
    x = alt.X("drawings:Q", title="Drawings", scale=alt.Scale(domain=[0, room_for_words]), axis=alt.Axis(tickMinStep=1))
    colors = alt.Scale(domain=["found", "not found"], range=[FOUND_COLOR, MISSED_COLOR])
    bars = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            x,
            y,
            color=alt.Color("what:N", scale=colors, legend=alt.Legend(title=None, orient="top")),
            order=alt.Order("order:Q"),
            tooltip=["digit:N", "what:N", "drawings:Q"],
        )
    )
    said = alt.Chart(pd.DataFrame(totals)).mark_text(dx=6, fontSize=14, align="left").encode(x, y, text="said:N")
    return bars + said


def learning_curves(alone: NDArray[np.float64], learned: NDArray[np.float64]) -> alt.Chart:
    """The share of right neighbors against the digits that were added."""
    n = np.arange(len(alone))
    table = pd.concat(
        pd.DataFrame({"digits": n, "share": share, "gallery": name})
        for share, name in zip((alone, learned), NAMES_OF_CURVES, strict=True)
    )
    colors = alt.Scale(domain=list(NAMES_OF_CURVES), range=[SPACE_COLORS["pixels"], OURS])
    dashes = alt.Scale(domain=list(NAMES_OF_CURVES), range=[[6, 4], [1, 0]])
    lowest = max(0.0, float(np.floor(min(alone.min(), learned.min()) * 10) / 10) - 0.1)
    return (
        alt.Chart(table)
        .mark_line(strokeWidth=4, point=len(alone) == 1)
        .encode(
            alt.X("digits:Q", title="Digits added before", axis=alt.Axis(tickMinStep=1)),
            alt.Y("share:Q", title="Right neighbors", scale=alt.Scale(domain=[lowest, 1]), axis=alt.Axis(format=".0%")),
            color=alt.Color("gallery:N", scale=colors, legend=alt.Legend(title=None, orient="top")),
            strokeDash=alt.StrokeDash("gallery:N", scale=dashes, legend=alt.Legend(title=None, orient="top")),
            tooltip=["gallery:N", "digits:Q", alt.Tooltip("share:Q", format=".1%")],
        )
    )
