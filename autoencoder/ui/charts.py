"""Charts that can be read from the last row; the same space has the same color in all of them."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from autoencoder.ui.options import current_options

if TYPE_CHECKING:
    import altair as alt

LETTERS_PX, PRESENTED_LETTERS_PX = 15, 19
# Each has a contrast of at least 3:1 with the light ground and with the dark one (WCAG 2.1, 1.4.11).
SPACE_COLORS = {"latent": "#d9480f", "pca": "#2f80d0", "pixels": "#75797f", "textbook": "#a05ad0"}
OURS = SPACE_COLORS["latent"]
# A color a digit. Each has a contrast of at least 3:1 with the light ground and with the dark one (WCAG 2.1, 1.4.11),
# and differs from the others, and from the lines to the neighbors, by more than 20 in CIELAB (2.3 can just be seen).
DIGIT_COLORS = (
    "#806080",
    "#b08000",
    "#909090",
    "#f00060",
    "#f040f0",
    "#507000",
    "#007080",
    "#4050f0",
    "#0090f0",
    "#00a080",
)


def letters_px() -> int:
    """How large a chart's letters are: as large as those of the page."""
    return PRESENTED_LETTERS_PX if current_options().present else LETTERS_PX


def show_chart(chart: "alt.Chart | alt.LayerChart", *, height: int, **options: Any) -> Any:
    """An Altair chart as wide as its place, in letters as large as those of the page."""
    ink = "white" if st.context.theme.type == "dark" else "black"  # Streamlit's chart theme does not set it
    chart = chart.properties(height=height).configure_view(strokeWidth=0)
    chart = chart.configure_axis(labelFontSize=letters_px(), titleFontSize=letters_px(), labelLimit=300)
    chart = chart.configure_legend(labelFontSize=letters_px(), labelLimit=300, symbolSize=150)
    chart = chart.configure_text(color=ink).configure_rule(color=ink)
    return st.altair_chart(chart, **options)
