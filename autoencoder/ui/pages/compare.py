"""The Compare page: one query, three spaces to search in."""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from autoencoder import artifacts
from autoencoder.data import Digits
from autoencoder.query.question import GalleryDigit, Query
from autoencoder.query.search import Searcher
from autoencoder.spaces import Space
from autoencoder.ui.lesson import begin, fastest_ms, show_chart, show_neighbors, show_query
from autoencoder.ui.loading import is_studied, load_spaces, load_study
from autoencoder.ui.visit import current_visit

SPACES = {
    "latent": ("Autoencoder", "32 numbers, learned"),
    "pca": ("PCA", "32 numbers, the best linear ones to redraw it from"),
    "pixels": ("Raw pixels", "784 numbers, as they are"),
    "textbook": ("Textbook autoencoder", "32 numbers, one dense layer"),
}
N_CALLS = 5
SEARCHED = ("latent", "pca", "pixels")


def compare_page() -> None:
    """The neighbors of one query in each space, and how the spaces do over the whole gallery."""
    engine = begin("Compare", "The same query, searched in three spaces. Which one knows what a digit is?")
    gallery = engine.gallery
    query = show_query(engine)
    if is_studied(gallery.name):
        st.button(
            "Find a query where they disagree",
            icon=":material/compare_arrows:",
            key="disagree",
            help="One of the gallery's digits for which two spaces differ by 2 right neighbors or more, at random",
            on_click=_ask_where_they_disagree,
            args=(gallery.name, query.index),
        )
    spaces = load_spaces(engine, gallery.name)
    for column, name in zip(st.columns(len(SEARCHED), gap="large"), SEARCHED, strict=True):
        with column:
            _show_search(gallery, query, name, *spaces[name])
    st.caption(
        "Look: how much the pixels of the four differ from the query's, 0 for the same picture. Pixels and PCA are "
        "best at that by their nature. The autoencoder gives up some of it to find the right digits."
    )
    if is_studied(gallery.name):
        _show_figures(gallery)


def _show_search(gallery: Digits, query: Query, name: str, space: Space, nearest: Searcher) -> None:
    title, what = SPACES[name]
    st.subheader(title, anchor=False)
    st.caption(what)
    vector = space.transform(query.digit[None])
    _, indices = nearest.kneighbors(vector, 4, exclude=query.index)
    searched_ms = fastest_ms(lambda: nearest.kneighbors(vector, 4, exclude=query.index), N_CALLS)
    labels = [gallery.label(index) for index in indices[0]]
    show_neighbors(gallery, indices[0], query.label)
    if query.label is not None:
        st.markdown(f"**{labels.count(query.label)} of 4** right")
    else:
        st.markdown("Which ones are right? You decide.")
    look = np.square(gallery.images[indices[0]] - query.digit).mean()
    st.markdown(f"Look **{look:.3f}**, searched in **{searched_ms:.2f} ms**")


def _ask_where_they_disagree(gallery_name: str, now: int | None) -> None:
    hits = np.stack([load_study(gallery_name).hits[name] for name in SEARCHED])
    apart = np.flatnonzero(np.ptp(hits, axis=0) >= 2)
    apart = apart[apart != now]
    current_visit().ask(GalleryDigit(gallery_name, int(np.random.default_rng().choice(apart))))


def _show_figures(gallery: Digits) -> None:
    st.subheader("Over the whole gallery", anchor=False)
    figures = artifacts.load_metrics(artifacts.DIRECTORY).get(gallery.name, {})
    rows = pd.DataFrame(
        {
            "space": title,
            "right neighbors": of_space["precision_at_4"],
            "low": of_space["precision_at_4_interval"][0],
            "high": of_space["precision_at_4_interval"][1],
            "all 4 right": of_space["all_4"],
            "look": of_space.get("look"),
            "error": of_space.get("mse"),
        }
        for name, (title, _) in SPACES.items()
        if (of_space := figures.get(name))
    )
    if rows.empty:
        st.info("There are no figures: `python -m autoencoder evaluate --keep` makes them.")
        return
    y = alt.Y("space:N", sort=rows["space"].tolist(), title=None)
    x = alt.X(
        "right neighbors:Q",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=".0%", tickMinStep=0.01),
        title="right neighbors",
    )
    base = alt.Chart(rows).encode(y=y)
    intervals = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title="right neighbors"), x2="high:Q")
    points = base.mark_point(filled=True, size=140, opacity=1).encode(x=x)
    texts = base.mark_text(dy=-16, fontSize=15).encode(x=x, text=alt.Text("right neighbors:Q", format=".2%"))
    show_chart(intervals + points + texts, height=260)
    shares = {"right neighbors": "{:.2%}".format, "all 4 right": "{:.1%}".format}
    errors = dict.fromkeys(("look", "error"), lambda error: "–" if pd.isna(error) else f"{error:.4f}")
    shown = rows.drop(columns=["low", "high"]).set_index("space")
    st.table(pd.DataFrame({name: shown[name].map(show) for name, show in (shares | errors).items()}))
    st.caption(
        f"The time above is that of the search alone, the fastest of {N_CALLS}, without turning the query into its "
        "numbers. "
        f"Each of {gallery.title} searched among the others: how many of its 4 nearest show its digit, "
        "with 95 % intervals; their look, which is how much their pixels differ from its own (the mean squared "
        "difference), and the error of the reconstruction, which is measured in the same way. "
        "Measured by python -m autoencoder evaluate, kept in artifacts/metrics.json. The textbook autoencoder has "
        "no place above: only its figures are kept."
    )
