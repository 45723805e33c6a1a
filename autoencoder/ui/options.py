"""What a visitor can set besides the query; the address holds each setting under its key."""

from dataclasses import dataclass

import streamlit as st

FEWEST, MOST, USUAL = 1, 20, 4  # neighbors
PART = "test"
SWITCHES = {
    "prepare": ("Center and scale the drawing like MNIST's", True),
    "difference": ("Show the difference", False),
    "guess": ("Guess first", False),
    "present": ("Presenter view", False),
    PART: ("Only the 10,000 test digits", False),
}


@dataclass(frozen=True)
class Options:
    """How many neighbors to show, and each switch as it is set, but for that of `choose_part`."""

    neighbors: int
    prepare: bool
    difference: bool
    guess: bool
    present: bool


def choose_options():
    """Show the slider and the switches; returns the Options."""
    _correct_address()
    neighbors = st.slider("Neighbors", FEWEST, MOST, USUAL, key="neighbors", bind="query-params", width=220)
    return Options(neighbors, **{key: _switch(key) for key in SWITCHES if key != PART})


def choose_part(engine):
    """Let the visitor choose what of MNIST is searched; returns the engine of that, else the given one."""
    if engine.unseen is engine:
        return engine
    return engine.unseen if _switch(PART, help="Search only digits that the network has never seen.") else engine


def _switch(key, **options):
    label, default = SWITCHES[key]
    return st.toggle(label, default, key=key, bind="query-params", width="content", **options)


def is_presented():
    """Whether the presenter view is on, to be asked before its switch is shown."""
    return st.session_state.get("present", _said("present", "false") == "true")


def nonsense_in_address():
    """The keys of settings that the address sets to what cannot be; Streamlit leaves them out without a word."""
    wrong = [key for key in SWITCHES if _said(key, "true") not in ("true", "false")]
    numbers = [str(number) for number in range(FEWEST, MOST + 1)]
    return wrong if _said("neighbors", str(USUAL)) in numbers else [*wrong, "neighbors"]


def _correct_address():
    """Write the settings into the address anew where a late answer has written older ones.

    Streamlit does so when a setting is assigned.
    """
    usual = {"neighbors": USUAL} | {key: default for key, (_, default) in SWITCHES.items()}
    for key in usual.keys() & st.session_state.keys():
        if _said(key, str(usual[key]).lower()) != str(st.session_state[key]).lower():
            st.session_state[key] = st.session_state[key]


def _said(key, default):
    return st.query_params.get(key, default).lower()
