"""The About page: what this is, how well it does, and whose data it is made from."""

import re

import streamlit as st

from autoencoder import artifacts
from autoencoder.ui.lesson import begin_without_engine

CARD = "MODEL_CARD.md"
WHAT_IT_IS = """
Reverse image search on handwritten digits. A small network, the **encoder**, squeezes a picture of 28 × 28
pixels into 32 numbers, and another, the **decoder**, draws it again from those. They were trained on 60,000
digits of MNIST without being told what the digits are. Pictures whose 32 numbers are near each other look
alike, so to find look-alikes is to find the nearest numbers, exactly, by Euclidean distance.

**What "looks like" means.** Two digits look alike if they are of the same kind, and if their strokes lie in the
same places. The distance counts both: the 32 numbers tell the kind apart, and they also tell the pixels.

**What is searched.** All of MNIST's 70,000 digits, where this server has them; a page that searches others says so.
The network was trained on 60,000 of MNIST's. A random query comes from the other 10,000, the test digits, and so do
the figures on the other pages.

**What is asked.** Nobody but you knows what you have drawn. So the page does not grade its answer to a drawing. It
says what it has found, and asks you. Once you have said which digit it is, the page says how many are right, and
where the nearest of yours is. What you say stays on your page. A digit of the gallery has a label, so its answer is
graded at once.

The **Search** page is the thing itself. The other pages let you try what is claimed of it: that the 32
numbers are a better place to search than pixels or PCA (**Compare**, **Better than PCA?**), that they keep
the signal and drop the noise (**Less noise**), that a shift upsets them less (**Shift**), that they are
faster to search (**32 against 784**); and where all this fails (**Failures**).
"""
LICENSES = """
The code is under the MIT license. MNIST is by Yann LeCun and Corinna Cortes, CC BY-SA 3.0. The bundled digits
are the UCI data set "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, CC BY 4.0, as
scikit-learn ships them. The pen strokes that drawings were measured with are the UCI data set "Pen-Based
Recognition of Handwritten Digits" by E. Alpaydin and F. Alimoglu, CC BY 4.0.
"""


def about_page() -> None:
    """What it is, the model card with its figures, and the licenses."""
    begin_without_engine("About", WHAT_IT_IS)
    st.subheader("Data and licenses", anchor=False)
    st.markdown(LICENSES)
    try:
        card = (artifacts.DIRECTORY / CARD).read_text("utf-8")
    except OSError:
        st.info("The model card is missing: restore it with `git checkout artifacts`.")
        return
    card = re.sub(r"!\[.*?\]\(.*?\)", "(The Failures page has them, among others.)", card)
    with st.expander("The model card", icon=":material/article:"):
        for number, part in enumerate(card.split("```")):  # text and figures in turn
            if number % 2:
                st.code(part.strip("\n"), language=None, wrap_lines=True)
            else:
                st.markdown(part)
