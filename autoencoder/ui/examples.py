"""Three drawings to begin with."""

import streamlit as st

from autoencoder.query.question import Drawing
from autoencoder.ui.visit import Visit

FOUR = Drawing((((96, 60), (84, 150), (196, 150)), ((168, 52), (160, 232))))
SEVEN = Drawing((((84, 68), (196, 68), (128, 228)),))
FACE = ((140, 40), (196, 60), (232, 108), (232, 164), (196, 216), (140, 236), (84, 216), (48, 164), (48, 108), (84, 60))
SMILEY = Drawing(
    (
        (*FACE, FACE[0]),
        ((108, 108), (108, 120)),
        ((172, 108), (172, 120)),
        ((92, 164), (116, 188), (164, 188), (188, 164)),
    )
)
EXAMPLES = {"a 4": FOUR, "a 7": SEVEN, "a smiley": SMILEY}


def show_examples(visit: Visit) -> None:
    """Buttons that ask for the examples."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
        for name, drawing in EXAMPLES.items():
            st.button(f"Try {name}", key=f"example-{name.split()[-1]}", on_click=visit.ask, args=(drawing,))
