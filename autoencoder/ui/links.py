"""Links from one page to another; the question goes along."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

PAGES = "pages"


def remember_pages(pages: "Iterable[Page]") -> None:
    """Have the pages, which the navigation lists, at hand for links."""
    st.session_state[PAGES] = {page.url_path: page for page in pages}


def page_at(path: str) -> "Page | None":
    """The page of a path; None where a page is run without the navigation."""
    return st.session_state.get(PAGES, {}).get(path)


def show_link(path: str, label: str, icon: str) -> None:
    """A link to the page of a path, where there is one."""
    if page := page_at(path):
        st.page_link(page, label=label, icon=icon, width="content")
