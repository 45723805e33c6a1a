"""The pages and the way between them: Streamlit runs this file for each visitor, again at each question.

A page is imported when it is first opened, because charts take long to import.
"""

from pathlib import Path

import streamlit as st

from autoencoder.query.search import SearchError
from autoencoder.ui.links import remember_pages

ICON = Path(__file__).with_name("icon.svg")


def search() -> None:
    from autoencoder.ui.pages.search import search_page

    search_page()


def why() -> None:
    from autoencoder.ui.pages.why import why_page

    why_page()


def compare() -> None:
    from autoencoder.ui.pages.compare import compare_page

    compare_page()


def digit_map() -> None:
    from autoencoder.ui.pages.map import map_page

    map_page()


def morph() -> None:
    from autoencoder.ui.pages.morph import morph_page

    morph_page()


def noise() -> None:
    from autoencoder.ui.pages.noise import noise_page

    noise_page()


def shift() -> None:
    from autoencoder.ui.pages.shift import shift_page

    shift_page()


def classroom() -> None:
    from autoencoder.ui.pages.classroom import classroom_page

    classroom_page()


def speed() -> None:
    from autoencoder.ui.pages.speed import speed_page

    speed_page()


def pca() -> None:
    from autoencoder.ui.pages.pca import pca_page

    pca_page()


def failures() -> None:
    from autoencoder.ui.pages.failures import failures_page

    failures_page()


def about() -> None:
    from autoencoder.ui.pages.about import about_page

    about_page()


st.set_page_config("Digit look-alikes", page_icon=str(ICON), layout="wide")
# In groups: the search, the lenses, the evidence. Streamlit's own groups are lists that screen readers cannot read.
pages = [
    st.Page(search, title="Search", url_path="search", default=True),
    st.Page(why, title="Why these?", url_path="why"),
    st.Page(compare, title="Compare", url_path="compare"),
    st.Page(digit_map, title="Map", url_path="map"),
    st.Page(morph, title="Morph", url_path="morph"),
    st.Page(noise, title="Noise", url_path="noise"),
    st.Page(shift, title="Shift", url_path="shift"),
    st.Page(classroom, title="Class", url_path="class"),
    st.Page(speed, title="Speed", url_path="speed"),
    st.Page(pca, title="PCA", url_path="pca"),
    st.Page(failures, title="Failures", url_path="failures"),
    st.Page(about, title="About", url_path="about"),
]
remember_pages(pages)
try:
    st.navigation(pages, position="top").run()
except SearchError as error:
    st.error(str(error), icon=":material/cloud_off:")
