"""The entry: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from autoencoder.ui.search_page import search_page

ICON = Path(__file__).parent / "autoencoder" / "ui" / "icon.svg"

st.set_page_config("Digit look-alikes", page_icon=str(ICON), layout="wide")
st.navigation([st.Page(search_page, title="Search", default=True)], position="hidden").run()
