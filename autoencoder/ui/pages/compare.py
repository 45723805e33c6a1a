"""The Compare page: one query, three spaces to search in."""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from autoencoder import artifacts
from autoencoder.data import Digits
from autoencoder.query.question import GalleryDigit
from autoencoder.query.search import Searcher
from autoencoder.spaces import Space
from autoencoder.ui.charts import SPACE_COLORS, show_chart
from autoencoder.ui.desk import Asked, show_desk
from autoencoder.ui.glossary import explain
from autoencoder.ui.loading import is_studied, load_metrics, load_spaces, load_study
from autoencoder.ui.needs import need_memory
from autoencoder.ui.pictures import show_neighbors
from autoencoder.ui.timing import fastest_ms
from autoencoder.ui.visit import current_visit

SPACES = {
    "latent": ("Autoencoder", "32 numbers, learned", "latent"),
    "pca": ("PCA", "32 numbers, the best linear ones", "PCA"),
    "pixels": ("Pixels", "784 numbers, as they are", "pixels"),
    "textbook": ("Textbook autoencoder", "32 numbers, one dense layer", "autoencoder"),
}
TITLE_PX = 190
FIGURES = "compare_figures"
N_CALLS = 5
SEARCHED = ("latent", "pca", "pixels")


def compare_page() -> None:
    """The neighbors of one query in each space, and how the spaces do over the whole gallery."""
    show_desk(
        "Compare",
        _show_spaces,
        promise="The same query, searched in three ways. Which one knows what a digit is?",
        only_unseen=True,
    )


def _show_spaces(asked: Asked) -> None:
    gallery, query = asked.engine.gallery, asked.query
    need_memory(gallery)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Which of these three knows what a digit is?", width="stretch")
        if is_studied(gallery.name):
            st.button(
                "Find one where they disagree",
                icon=":material/compare_arrows:",
                key="disagree",
                help="A random digit of the gallery for which two of the three differ by 2 right look-alikes or more",
                on_click=_ask_where_they_disagree,
                args=(gallery.name, query.index),
            )
    spaces = load_spaces(asked.engine, gallery.name)
    for name in SEARCHED:
        with st.container(border=True, gap="xsmall"):
            _show_search(asked, name, *spaces[name])
    if is_studied(gallery.name):
        figures = st.expander("Over the whole gallery", icon=":material/bar_chart:", key=FIGURES, on_change="rerun")
        if figures.open:
            with figures:
                _show_figures(gallery)


def _show_search(asked: Asked, name: str, space: Space, nearest: Searcher) -> None:
    gallery, query, digit = asked.engine.gallery, asked.query, asked.label
    title, what, term = SPACES[name]
    vector = space.transform(query.digit[None])
    _, indices = nearest.kneighbors(vector, 4, exclude=query.index)
    searched_ms = fastest_ms(lambda: nearest.kneighbors(vector, 4, exclude=query.index), N_CALLS)
    labels = [gallery.label(index) for index in indices[0]]
    look = np.square(gallery.images[indices[0]] - query.digit).mean()
    right = "Which are right? You decide." if digit is None else f"**{labels.count(digit)} of 4** right"
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(width=TITLE_PX, gap=None):
            st.subheader(title, anchor=False, help=explain(term))
            st.caption(what)
        show_neighbors(gallery, indices[0], digit)
        with st.container(width="content", gap=None):
            st.markdown(right, width="content")
            st.caption(f"Look **{look:.3f}**", help=explain("look"), width="content")
            st.caption(f"searched in **{searched_ms:.2f} ms**", width="content")


def _ask_where_they_disagree(gallery_name: str, now: int | None) -> None:
    hits = np.stack([load_study(gallery_name).hits[name] for name in SEARCHED])
    apart = np.flatnonzero(np.ptp(hits, axis=0) >= 2)
    apart = apart[apart != now]
    current_visit().ask(GalleryDigit(gallery_name, int(np.random.default_rng().choice(apart))))


def _show_figures(gallery: Digits) -> None:
    figures = load_metrics(artifacts.DIRECTORY).get(gallery.name, {})
    rows = pd.DataFrame(
        {
            "space": title,
            "right look-alikes": of_space["precision_at_4"],
            "low": of_space["precision_at_4_interval"][0],
            "high": of_space["precision_at_4_interval"][1],
            "all 4 right": of_space["all_4"],
            "look": of_space.get("look"),
            "redrawing error": of_space.get("mse"),
        }
        for name, (title, _, _) in SPACES.items()
        if (of_space := figures.get(name))
    )
    if rows.empty:
        st.info("There are no figures: `python -m autoencoder evaluate --keep` makes them.")
        return
    titles = rows["space"].tolist()
    y = alt.Y("space:N", sort=titles, title=None)
    own = [SPACE_COLORS[name] for name, (title, _, _) in SPACES.items() if title in titles]
    color = alt.Color("space:N", scale=alt.Scale(domain=titles, range=own), legend=None)
    x = alt.X(
        "right look-alikes:Q",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=".0%", tickMinStep=0.01),
        title="right look-alikes",
    )
    base = alt.Chart(rows).encode(y=y)
    intervals = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title="right look-alikes"), x2="high:Q", color=color
    )
    points = base.mark_point(filled=True, size=140, opacity=1).encode(x=x, color=color)
    texts = base.mark_text(dy=-16, fontSize=15).encode(x=x, text=alt.Text("right look-alikes:Q", format=".2%"))
    show_chart(intervals + points + texts, height=260)
    shares = {"right look-alikes": "{:.2%}".format, "all 4 right": "{:.1%}".format}
    errors = dict.fromkeys(("look", "redrawing error"), lambda error: "–" if pd.isna(error) else f"{error:.4f}")
    shown = rows.drop(columns=["low", "high"]).set_index("space")
    st.table(pd.DataFrame({name: shown[name].map(show) for name, show in (shares | errors).items()}))
    st.caption(
        f"Each of {gallery.title} was searched among the others. The table says how many of its 4 nearest show its "
        "digit, with 95 % intervals in the chart, how much they look like it, and how well it is redrawn. "
        "`python -m autoencoder evaluate` measures this. The textbook autoencoder is not searched above: only its "
        "figures are kept.",
        help=f"{explain('look')} {explain('redrawing error')}",
    )
