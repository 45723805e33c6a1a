"""The pages and the way between them: Streamlit runs this file for each visitor, again at each question."""

from importlib import import_module
from pathlib import Path

import streamlit as st

from autoencoder.query.search import SearchError

ICON = Path(__file__).with_name("icon.svg")


def page(name, title, **options):
    """The page of `autoencoder/ui/<name>_page.py`, which is imported when it is first opened: charts take long to."""

    def open_page():
        try:
            getattr(import_module(f"autoencoder.ui.pages.{name}"), f"{name}_page")()
        except SearchError as error:
            st.error(str(error), icon=":material/cloud_off:")

    return st.Page(open_page, title=title, url_path=name, **options)


st.set_page_config("Digit look-alikes", page_icon=str(ICON), layout="wide")
pages = [
    page("search", "Search", default=True),
    page("compare", "Compare"),
    page("map", "Map"),
    page("morph", "Morph"),
    page("noise", "Less noise"),
    page("shift", "Shift"),
    page("speed", "32 against 784"),
    page("pca", "Better than PCA?"),
    page("failures", "Failures"),
    page("about", "About"),
]
st.navigation(pages, position="top").run()
