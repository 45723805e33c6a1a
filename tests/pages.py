"""The pages by AppTest, which has no canvas: the fixture `strokes` draws in its place."""

import re
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from autoencoder.ink.strokes import scale_to_canvas

APP = Path(__file__).parent.parent / "autoencoder" / "ui" / "pages" / "navigation.py"


def search_page(**parameters):
    """The whole app, opened at the Search page by an address with these parameters."""
    return _opened(AppTest.from_file(str(APP), default_timeout=60), parameters)


def lesson(name, **parameters):
    """A page that teaches, by itself."""

    def run(name):
        import importlib

        getattr(importlib.import_module(f"autoencoder.ui.pages.{name}"), f"{name}_page")()

    return _opened(AppTest.from_function(run, args=(name,), default_timeout=60), parameters)


def _opened(app, parameters):
    app.query_params.update(parameters)
    app.run()
    assert not app.exception
    return app


def on_canvas(drawing, side_px=170):
    return scale_to_canvas([np.array(stroke, float) for stroke in drawing], side_px)


def open_what_to_take_away(app):
    """Open what is folded away behind the button "Save or share"."""
    app.session_state["answer-1-take-away"] = True
    app.run()


def captions(app):
    return [image.proto.imgs[0].caption for image in app.image]


def neighbor_buttons(app):
    return [button for button in app.button if "-neighbor-" in button.key]


def labels(app):
    """What the neighbors' buttons say: their digits, or nothing where they are not shown."""
    return [int(button.label[0]) for button in neighbor_buttons(app)]


def headlines(app):
    """What the cards say, without their icons."""
    return [re.sub(r"^:\w+\[:material/\w+:\] ", "", card.value) for card in app.subheader if ":material/" in card.value]


def asked(app):
    """What the address says; AppTest has a list of what a page was opened with, and a text of what it wrote."""
    said = app.query_params.get("q")
    return said[0] if isinstance(said, list) else said
