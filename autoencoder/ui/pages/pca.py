"""The PCA page: how many principal components are worth 32 learned numbers?"""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from autoencoder import artifacts
from autoencoder.ui.charts import SPACE_COLORS, show_chart
from autoencoder.ui.evidence import begin_without_engine
from autoencoder.ui.glossary import explain
from autoencoder.ui.loading import load_metrics

AUTOENCODERS = {"latent": "autoencoder", "textbook": "textbook"}
COLORS = alt.Scale(domain=list(AUTOENCODERS.values()), range=[SPACE_COLORS[space] for space in AUTOENCODERS])
MEASURES = {
    "Right look-alikes": ("precision_at_4", ".0%", "right look-alikes among 4"),
    "Redrawing error": ("mse", ".3f", "redrawing error"),
}
MEASURED = "measured"


def pca_page() -> None:
    """Precision and reconstruction error against the latent's size: PCA as a curve, the autoencoders as points."""
    begin_without_engine(
        "PCA",
        "PCA is the best way to redraw digits by adding and multiplying alone. How many of its numbers are as good as "
        "an autoencoder's 32? Measured on MNIST's 10,000 test digits.",
    )
    metrics = load_metrics(artifacts.DIRECTORY)
    by_size, mnist = metrics.get("pca_by_size", {}), metrics.get("mnist", {})
    if not by_size or "latent" not in mnist:
        st.info("There are no figures: `python -m autoencoder encode` makes them.")
        return
    shown: str = st.session_state.setdefault(MEASURED, next(iter(MEASURES)))
    st.segmented_control("What is measured", list(MEASURES), required=True, key=MEASURED, persist_state="session")
    name, number_format, title = MEASURES[shown]
    curve = pd.DataFrame({"numbers": int(size), title: of_size[name]} for size, of_size in by_size.items())
    points = pd.DataFrame(
        {"numbers": 32, title: mnist[space][name], "of": label}
        for space, label in AUTOENCODERS.items()
        if space in mnist
    )
    show_chart(_chart(curve, points, title, number_format), height=400)
    st.markdown(_answer(shown, name, by_size, mnist), help=f"{explain('PCA')} {explain('autoencoder')}")
    st.caption(
        "The textbook autoencoder has one dense layer to 32 numbers and one back. Measured by the build, kept in "
        "artifacts/metrics.json."
    )


def _chart(curve: pd.DataFrame, points: pd.DataFrame, title: str, number_format: str) -> alt.LayerChart:
    x = alt.X(
        "numbers:Q",
        scale=alt.Scale(type="log", base=2),
        title="numbers a digit",
        axis=alt.Axis(values=curve["numbers"]),
    )
    y = alt.Y(f"{title}:Q", scale=alt.Scale(zero=False), axis=alt.Axis(format=number_format))
    pca = SPACE_COLORS["pca"]
    points_of_line = alt.OverlayMarkDef(size=80, color=pca)
    line = alt.Chart(curve).mark_line(strokeWidth=3, color=pca, point=points_of_line).encode(x, y)
    name = alt.Chart(curve.head(1)).mark_text(text="PCA", align="left", dx=14, fontSize=15).encode(x, y)
    marks = (
        alt.Chart(points)
        .mark_point(size=200, filled=True, opacity=1, shape="diamond")
        .encode(x, y, color=alt.Color("of:N", scale=COLORS, legend=None))
    )
    texts = alt.Chart(points).mark_text(align="right", dx=-14, fontSize=15).encode(x, y, text="of:N")
    return line + name + marks + texts


def _answer(shown: str, name: str, by_size: dict[str, Any], mnist: dict[str, Any]) -> str:
    ours, pca = mnist["latent"][name], by_size["32"][name]
    if name == "precision_at_4":
        reached = [size for size, of_size in by_size.items() if of_size[name] >= ours]
        figures = f"{ours:.2%} against {pca:.2%}"
    else:
        reached = [size for size, of_size in by_size.items() if of_size[name] <= ours]
        figures = f"{ours:.4f} against {pca:.4f}"
    until = (
        f"Of the sizes measured, PCA gets there first with {reached[0]}."
        if reached
        else f"PCA does not get there with {max(map(int, by_size))}."
    )
    return f"{shown} with 32 numbers: autoencoder against PCA **{figures}**. {until}"
