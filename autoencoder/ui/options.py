"""What a visitor can set besides the question."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import streamlit as st

from autoencoder.query.engine import Engine
from autoencoder.ui.glossary import explain

FEWEST_NEIGHBORS, MOST_NEIGHBORS = 1, 20
SWITCHES = {
    "prepare": "Center and scale the drawing like MNIST's",
    "difference": "Show the difference",
    "guess": "Guess first",
    "present": "Presenter view",
}
# The texts that an address may set an option to, and what they mean.
NEIGHBORS = {str(number): number for number in range(FEWEST_NEIGHBORS, MOST_NEIGHBORS + 1)}
TRUTHS = {"true": True, "false": False}
TOUR_STEPS = {str(number): number for number in range(1, 10)}
VALUES = {"neighbors": NEIGHBORS, "tour": TOUR_STEPS}
TEST_SWITCH = "Only the 10,000 test digits"


@dataclass(frozen=True)
class Options:
    """The settings, each under the name that it has in the address.

    `neighbors` is how many to show, from 1 to 20. There are switches: to `prepare` a drawing as MNIST's digits
    are, to show the `difference` of query and reconstruction, to `guess` before the answer is shown, to `present` the
    page in large type, and to search in the `test` digits alone. `tour` is the step of the guided tour, 0 without one.
    """

    neighbors: int = 4
    prepare: bool = True
    difference: bool = False
    guess: bool = False
    present: bool = False
    test: bool = False
    tour: int = 0

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> tuple[Self, list[str]]:
        """The options that an address sets, and the names of those that it sets to what cannot be."""
        valid: dict[str, Any] = {}
        wrong = []
        for name in asdict(cls()):
            values = VALUES.get(name, TRUTHS)
            text = parameters.get(name)
            if text is None:
                continue
            if text.lower() in values:
                valid[name] = values[text.lower()]
            else:
                wrong.append(name)
        return cls(**valid), wrong

    def to_parameters(self) -> dict[str, str]:
        """What an address says of the options: those that are not as usual."""
        usual = Options()
        return {name: str(value).lower() for name, value in asdict(self).items() if value != getattr(usual, name)}

    def part_of(self, engine: Engine) -> Engine:
        """The engine of what is to be searched: of the digits that the network has not seen, or of all."""
        return engine.unseen if self.test else engine


def current_options() -> Options:
    """The options as they are set."""
    return Options(**{name: st.session_state.get(name, usual) for name, usual in asdict(Options()).items()})


def set_options(parameters: Mapping[str, str], *, keep_others: bool) -> list[str]:
    """Set the options to what an address says, the others to what is usual unless they are to be kept.

    Returns:
        The names of those that it sets to what cannot be.
    """
    options, wrong = Options.from_parameters(parameters)
    for name, value in asdict(options).items():
        if name in parameters or not keep_others:
            st.session_state[name] = value
    return wrong


def show_options(engine: Engine) -> None:
    """The slider and the switches; where the gallery has a part that the network has not seen, a switch for that."""
    state = st.session_state
    for name, value in asdict(current_options()).items():
        state.setdefault(name, value)
    st.slider(
        "Neighbors",
        FEWEST_NEIGHBORS,
        MOST_NEIGHBORS,
        key="neighbors",
        persist_state="session",
        width=220,
        help=f"{explain('neighbor')} Search, Why these? and Map show so many, the other pages 4.",
    )
    for name, label in SWITCHES.items():
        st.toggle(label, key=name, persist_state="session", width="content")
    if engine.unseen is not engine:
        seen = "Search only digits that the network has never seen."
        st.toggle(TEST_SWITCH, key="test", persist_state="session", width="content", help=seen)
