"""The Speed page: the time of a search with 32 and with 784 numbers, measured live."""

from threading import Lock
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from autoencoder.query.search import NearestNeighbors, Searcher
from autoencoder.ui.charts import SPACE_COLORS, show_chart
from autoencoder.ui.evidence import begin
from autoencoder.ui.loading import load_spaces
from autoencoder.ui.needs import need_memory
from autoencoder.ui.timing import fastest_ms

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the gallery
N_CALLS = 25
LEAST_DIGITS = 5  # one to ask, and four to find
NAMES = {"latent": "32 numbers", "pixels": "784 numbers"}
COLORS = alt.Scale(domain=list(NAMES.values()), range=[SPACE_COLORS[name] for name in NAMES])


def speed_page() -> None:
    """A search's time in both spaces against the gallery's size, one point after the other."""
    engine = begin(
        "Speed",
        "The same exact search with 32 numbers a digit and with 784: the time of one query, measured live on this "
        "server.",
        need_memory,
    )
    st.button("Measure again", icon=":material/timer:", key="measure")
    spaces = load_spaces(engine, engine.gallery.name)
    chart, sentence = st.empty(), st.empty()
    rows: list[dict[str, Any]] = []
    lock = _one_at_a_time()  # visitors who measure at once would measure each other
    while not lock.acquire(timeout=0.2):
        sentence.markdown("Another visitor is measuring; this page is next.")
    try:
        for share in SHARES:
            n = max(LEAST_DIGITS, int(share * len(engine.gallery)))
            for name, label in NAMES.items():
                milliseconds = _measure_ms(spaces[name][1], n)
                rows.append({"digits searched": n, "milliseconds": milliseconds, "vectors": label})
            with chart:
                show_chart(_chart(pd.DataFrame(rows)), height=380)
    finally:
        lock.release()
    latent, pixels = rows[-2]["milliseconds"], rows[-1]["milliseconds"]
    sentence.markdown(
        f"Among {n:,} digits: **{latent:.2f} ms** with 32 numbers, **{pixels:.2f} ms** with 784, "
        f"about **{pixels / latent:.0f} times** as long."
    )
    st.caption(
        f"Each point is the fastest of {N_CALLS} searches for the 4 nearest neighbors of one digit, on one core: "
        "whatever else the machine does makes a search slower."
    )


@st.cache_resource(show_spinner=False)
def _one_at_a_time() -> Lock:
    return Lock()


def _measure_ms(nearest: Searcher, n: int) -> float:
    """The time of a query among the first n vectors, in milliseconds."""
    whole = n == len(nearest.vectors) and type(nearest) is NearestNeighbors  # Milvus is not measured here
    some = nearest if whole else NearestNeighbors(nearest.vectors[:n])
    return fastest_ms(lambda: some.kneighbors(nearest.vectors[:1], 4, exclude=0), N_CALLS)


def _chart(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_line(strokeWidth=3, point=alt.OverlayMarkDef(size=80))
        .encode(
            alt.X("digits searched:Q", scale=alt.Scale(domainMin=0), axis=alt.Axis(tickCount=5)),
            alt.Y("milliseconds:Q", title="milliseconds a query", scale=alt.Scale(domainMin=0)),
            alt.Color("vectors:N", title=None, legend=alt.Legend(orient="top"), scale=COLORS),
            alt.StrokeDash("vectors:N", title=None),
            alt.Shape("vectors:N", title=None),
        )
    )
