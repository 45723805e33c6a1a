"""The entry: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from autoencoder.ui.about_page import about_page
from autoencoder.ui.compare_page import compare_page
from autoencoder.ui.failures_page import failures_page
from autoencoder.ui.map_page import map_page
from autoencoder.ui.morph_page import morph_page
from autoencoder.ui.noise_page import noise_page
from autoencoder.ui.pca_page import pca_page
from autoencoder.ui.search_page import search_page
from autoencoder.ui.shift_page import shift_page
from autoencoder.ui.speed_page import speed_page

ICON = Path(__file__).parent / "autoencoder" / "ui" / "icon.svg"

st.set_page_config("Digit look-alikes", page_icon=str(ICON), layout="wide")
pages = [
    st.Page(search_page, title="Search", default=True),
    st.Page(compare_page, title="Compare", url_path="compare"),
    st.Page(map_page, title="Map", url_path="map"),
    st.Page(morph_page, title="Morph", url_path="morph"),
    st.Page(noise_page, title="Less noise", url_path="noise"),
    st.Page(shift_page, title="Shift", url_path="shift"),
    st.Page(speed_page, title="32 against 784", url_path="speed"),
    st.Page(pca_page, title="Better than PCA?", url_path="pca"),
    st.Page(failures_page, title="Failures", url_path="failures"),
    st.Page(about_page, title="About", url_path="about"),
]
st.navigation(pages, position="top").run()
