"""The Search page: the look-alikes of what is asked."""

from dataclasses import replace

from autoencoder.query.question import Drawing
from autoencoder.ui.answer import show_answer, show_blank_neighbors
from autoencoder.ui.desk import Asked, show_desk

AS_IT_IS, PREPARED = "Just shrunk to 28 × 28", "Centered and scaled like MNIST's"


def search_page() -> None:
    """Draw, pick or photograph a digit; its look-alikes appear beside it."""
    show_desk(
        "Digit look-alikes",
        _show_look_alikes,
        promise="Its look-alikes appear here: the digits that look most like it.",
        show_blank=show_blank_neighbors,
    )


def _show_look_alikes(asked: Asked) -> None:
    """The answer; two of them where a drawing is to be searched as it is, too."""
    if asked.options.prepare or not isinstance(asked.question, Drawing):
        show_answer(asked, key="answer-1")
        return
    as_it_is = replace(asked.question.to_shrunk_query(), index=asked.query.index)  # it may be a drawing of the class
    show_answer(replace(asked, query=as_it_is), key="answer-1", title=AS_IT_IS, may_tell=False)
    show_answer(asked, key="answer-2", title=PREPARED)
