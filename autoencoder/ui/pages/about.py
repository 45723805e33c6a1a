"""The About page: what this is, how it learns, how well it does, and whose data it is made from."""

import re
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from autoencoder import artifacts
from autoencoder.artifacts import ArtifactError
from autoencoder.history import History
from autoencoder.ui.charts import DIGIT_COLORS, OURS, show_chart
from autoencoder.ui.evidence import begin_without_engine
from autoencoder.ui.glossary import explain
from autoencoder.ui.pictures import data_uri

CARD = "MODEL_CARD.md"
WHAT_IT_IS = """
Reverse image search on handwritten digits. A small network, the **encoder**, squeezes a picture of 28 × 28
pixels into 32 numbers, and another, the **decoder**, draws it again from those. They were trained on 60,000
digits of MNIST without being told what the digits are. Pictures whose 32 numbers are near each other look
alike, so to find look-alikes is to find the nearest numbers, exactly, by Euclidean distance.

**What "looks like" means.** Two digits look alike if they are of the same kind, and if their strokes lie in the
same places. The distance counts both: the 32 numbers tell the kind apart, and they also tell the pixels.

**What is searched.** All of MNIST's 70,000 digits, where this server has them; a page that searches others says so.
The network was trained on 60,000 of MNIST's. A random query comes from the other 10,000, the test digits, and so do
the figures on the other pages.

**What is asked.** Nobody but you knows what you have drawn. So the page does not grade its answer to a drawing. It
says what it has found, and asks you. Once you have said which digit it is, the page says how many are right, and
where the nearest of yours is. What you say stays on your page. A digit of the gallery has a label, so its answer is
graded at once.

The **Search** page is the thing itself. The other pages let you try what is claimed of it: that the 32
numbers are a better place to search than pixels or PCA (**Compare**, **PCA**), that they keep the signal and drop
the noise (**Noise**), that a shift affects them less (**Shift**), that they are faster to search (**Speed**); and
where all this fails (**Failures**).
"""
LICENSES = """
The code is under the MIT license. MNIST is by Yann LeCun and Corinna Cortes, CC BY-SA 3.0. The bundled digits
are the UCI data set "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, CC BY 4.0, as
scikit-learn ships them. The pen strokes that drawings were measured with are the UCI data set "Pen-Based
Recognition of Handwritten Digits" by E. Alpaydin and F. Alimoglu, CC BY 4.0.
"""
PER_ROW = 10  # digits side by side on the sheet: 20 in two rows, each above what it is redrawn as
SHEET_ENLARGEMENT = 4
CURVE_PX, MAP_PX = 150, 400
MARGIN = 0.02  # around the map, so that no numeral is cut off


def about_page() -> None:
    """What it is, a training to look at, the licenses, and the model card with its figures."""
    begin_without_engine("About", WHAT_IT_IS)
    st.subheader("See it learn", anchor=False)
    _show_learning()
    st.subheader("Data and licenses", anchor=False)
    st.markdown(LICENSES)
    _show_card()


def _show_learning() -> None:
    """The history of a training, or a sentence where there is none."""
    if not (artifacts.DIRECTORY / artifacts.HISTORY).is_file():
        st.info(
            "There is no training to look at here: restore it with `git checkout artifacts`, or make one with "
            "`python -m autoencoder history`.",
            icon=":material/info:",
        )
        return
    try:
        history, shipped_epochs = _load_history(artifacts.DIRECTORY)
    except ArtifactError as error:
        st.error(str(error), icon=":material/build:")
        return
    st.markdown(f"{_whose_training(history, shipped_epochs)} Move the slider and watch.")
    _show_moment(history)


@st.cache_resource(show_spinner=False)
def _load_history(directory: Path) -> tuple[History, int | None]:
    """The history of a training that the build has kept, and for how many epochs the app's own network was trained.

    Raises:
        ArtifactError: an artifact is missing or damaged.
    """
    manifest = artifacts.verify(directory, required=[artifacts.HISTORY])
    return History.load(directory / artifacts.HISTORY), manifest.get("epochs")


def _whose_training(history: History, shipped_epochs: int | None) -> str:
    """That the history is of another training than that of the app's network."""
    epochs = round(history.epochs[-1])
    passes = f"{epochs} passes over {history.n_training:,} training digits"
    if not shipped_epochs:
        return f"This is not the training of the app's network. It has the same recipe: {passes}."
    length = "a shorter training" if epochs < shipped_epochs else "another training"
    return (
        f"The app's network learned in {shipped_epochs} passes over its training digits. This is {length} by the same "
        f"recipe: {passes}. So its figures are its own."
    )


@st.fragment
def _show_moment(history: History) -> None:
    """One moment of the training, by a slider: figures, digits redrawn, and the map."""
    with st.container(horizontal=True):
        number = st.select_slider(
            "Passes over the training digits (epochs)",
            range(len(history.epochs)),
            format_func=lambda number: _passes(float(history.epochs[number])),
            key="epoch",
            persist_state="session",
        )
        with st.container(horizontal=True, width="content"):
            precision, error = history.precision_at_4[number], history.mse[number]
            st.metric("Right look-alikes", f"{precision:.1%}", help=explain("P@4"), width="content")
            st.metric("Redrawing error", f"{error:.4f}", help=explain("redrawing error"), width="content")
    left, right = st.columns(2)
    with left:
        _show_redrawn(history, number)
    with right:
        show_chart(_map(history, number), height=MAP_PX, key="epoch_map")
        st.caption(
            f"{len(history.labels):,} test digits, each as the numeral that it shows. The network is not told the "
            "numerals. Digits with nearby numbers lie near each other."
        )


def _show_redrawn(history: History, number: int) -> None:
    """The digits, each above what it is redrawn as, and how many look-alikes were right from moment to moment."""
    st.image(
        data_uri(Image.fromarray(_sheet(history.digits, history.redrawn[number]))),
        alt=f"{len(history.digits)} digits, each above what the network redraws it as",
        width="stretch",
    )
    st.caption("Dark on light: test digits, new to the network. Below each, light on dark: how the network redraws it.")
    show_chart(_curve(history, number), height=CURVE_PX, key="epoch_curve")
    untrained = " Even untrained, it gives similar pictures similar numbers." if number == 0 else ""
    st.caption(f"Measured with {history.n_searched:,} test digits, each searched among the others.{untrained}")


def _passes(epochs: float) -> str:
    return "untrained" if not epochs else f"{epochs:.0f}" if epochs >= 1 else f"{epochs:.1g}"


def _sheet(digits: NDArray[np.uint8], redrawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One picture uint8 of digits uint8 (n, 28, 28), dark on light, each above the one that it is redrawn as.

    A row of the sheet takes every (n / 10)th digit: two of each kind, in order, make two rows from 0 to 9.
    """
    n_rows = len(digits) // PER_ROW
    pairs = np.stack([255 - digits, redrawn], axis=1)  # (n, 2, 28, 28)
    tiles = pairs.reshape(PER_ROW, n_rows, 2, 28, 28).transpose(1, 2, 3, 0, 4)  # (rows, 2, 28, 10, 28)
    sheet = tiles.reshape(n_rows * 2 * 28, PER_ROW * 28)
    return sheet.repeat(SHEET_ENLARGEMENT, axis=0).repeat(SHEET_ENLARGEMENT, axis=1)


def _curve(history: History, number: int) -> alt.LayerChart:
    """P@4 from moment to moment, and a dot where the slider is."""
    passes = [_passes(epochs) for epochs in history.epochs]
    moments = pd.DataFrame({"passes": passes, "right": history.precision_at_4})
    x = alt.X("passes:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    y = alt.Y("right:Q", scale=alt.Scale(zero=False), axis=alt.Axis(format=".0%", tickCount=3), title="right")
    line = alt.Chart(moments).mark_line(strokeWidth=3, color=OURS).encode(x, y)
    here = alt.Chart(moments.iloc[[number]]).mark_point(size=200, filled=True, opacity=1, color=OURS).encode(x, y)
    return line + here


def _map(history: History, number: int) -> alt.Chart:
    """The digits of the map at a moment's places, each as the numeral of its label; all moments have one scale."""
    x, y = history.positions[number].T  # (n_placed,) each
    placed = pd.DataFrame({"x": x, "y": y, "digit": history.labels})
    low, high = history.positions.min(axis=(0, 1)) - MARGIN, history.positions.max(axis=(0, 1)) + MARGIN
    across, up = (alt.Scale(domain=[float(a), float(b)], nice=False) for a, b in zip(low, high, strict=True))
    colors = alt.Scale(domain=list(range(10)), range=list(DIGIT_COLORS))
    return (
        alt.Chart(placed)
        .mark_text(fontSize=11)
        .encode(
            alt.X("x:Q", scale=across, axis=None),
            alt.Y("y:Q", scale=up, axis=None),
            text="digit:N",
            color=alt.Color("digit:N", scale=colors, legend=None),
            tooltip=alt.value(None),
        )
    )


def _show_card() -> None:
    """The model card, folded away, or a sentence where it is missing."""
    try:
        card = (artifacts.DIRECTORY / CARD).read_text("utf-8")
    except OSError:
        st.info("The model card is missing: restore it with `git checkout artifacts`.")
        return
    card = re.sub(r"!\[.*?\]\(.*?\)", "(The Failures page has them, among others.)", card)
    with st.expander("The model card", icon=":material/article:"):
        for number, part in enumerate(card.split("```")):  # text and figures in turn
            if number % 2:
                st.code(part.strip("\n"), language=None, wrap_lines=True)
            else:
                st.markdown(part)
