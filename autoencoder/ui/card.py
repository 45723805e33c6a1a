"""The card that every answer begins with: one large headline, and what belongs to it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def show_card(sentence: str, icon: str, *, key: str) -> DeltaGenerator:
    """A sentence in a frame, behind an icon as Streamlit's Markdown has it; returns the frame, for what belongs to it.

    The `key` tells cards on a page apart.
    """
    card = st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"card-{key}")
    card.subheader(f"{icon} {sentence}", anchor=False, width="content")
    return card
