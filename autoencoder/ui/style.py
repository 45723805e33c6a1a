"""What no setting of Streamlit reaches for a page alone."""

import streamlit as st

PRESENTER_TYPE_PX = "20px"  # 16 is Streamlit's own


def fit_screen(*, present):
    """Have the answer on a projector's first screen, 1280 x 720, and in larger type where the page is presented.

    On screens wider than 100 letters the page stays as wide as that, so that canvas and answer are side by side.
    """
    type_px = PRESENTER_TYPE_PX if present else "inherit"
    page = ".stMainBlockContainer { padding-top: 2.5rem; max-width: 100rem }"
    st.html(f"<style>{page} html {{ font-size: {type_px} }}</style>")
