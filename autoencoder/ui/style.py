"""What no setting of Streamlit reaches for a page alone."""

import streamlit as st

PRESENTER_TYPE_PX = "20px"  # 16 is Streamlit's own


def fit_screen(*, present: bool) -> None:
    """Have the answer on a projector's first screen, 1280 x 720, and in larger type where the page is presented.

    A phone that opens the presented page keeps its type. In larger type the row of tabs would be cut off.
    On a narrow screen most sentences take up to two lines; their box has room for them, so that nothing below it jumps.
    On screens wider than 100 letters the page stays as wide as that, so that canvas and answer are side by side.
    Nothing fades or slides into its new state: a browser would draw each step of it.
    """
    page = ".stMainBlockContainer { padding-top: 4rem; max-width: 100rem }"
    page += " @media (max-width: 1000px) { [data-testid='stAlertContainer'] { min-height: 5.2rem } }"
    page += " [data-stale] { opacity: 1 !important; transition: none !important }"
    page += " [data-testid='stProgress'] * { transition: none !important }"
    larger = f"@media (min-width: 640px) {{ html {{ font-size: {PRESENTER_TYPE_PX} }} }}" if present else ""
    st.html(f"<style>{page} {larger}</style>")
