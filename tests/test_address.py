import pytest

from autoencoder.ink.strokes import LONGEST_TEXT
from autoencoder.query.question import Drawing, GalleryDigit
from autoencoder.ui import address
from autoencoder.ui.address import link_to, open_address, parameters_of, write_address
from autoencoder.ui.options import Options
from autoencoder.ui.visit import DRAW, RANDOM, Visit

SEVENTH, EIGHTH = GalleryDigit("mnist", 7), GalleryDigit("mnist", 8)


class Parameters(dict):
    """The address' parameters as Streamlit has them; `n_written` counts how often they were written."""

    n_written = 0

    def to_dict(self):
        return dict(self)

    def from_dict(self, parameters):
        self.n_written += 1
        self.clear()
        self.update(parameters)


@pytest.fixture
def browser(monkeypatch):
    """The parameters of the browser's address, the options as the session has them, and the hints that are shown."""
    parameters, state, hints = Parameters(), {}, []
    monkeypatch.setattr(address.st, "query_params", parameters)
    monkeypatch.setattr(address.st, "session_state", state)
    monkeypatch.setattr(address, "show_hint", hints.append)
    parameters.state, parameters.hints = state, hints
    return parameters


def test_an_address_says_the_question_and_what_is_not_as_usual():
    assert parameters_of(None, Options()) == {}
    assert parameters_of(SEVENTH, Options(neighbors=6, guess=True)) == {
        "q": "mnist-7",
        "neighbors": "6",
        "guess": "true",
    }


def test_a_drawing_that_is_too_long_is_left_out():
    zigzag = Drawing.of([[[20 * (n % 2), n % 280] for n in range(LONGEST_TEXT)]])
    assert parameters_of(zigzag, Options(guess=True)) == {"guess": "true"}
    assert link_to({"guess": "true"}) is None


def test_a_visit_begins_with_what_the_address_asks(browser):
    browser.update({"q": "mnist-7", "neighbors": "9", "guess": "perhaps"})
    visit = Visit()
    open_address(visit, "Search")
    assert (visit.tab, visit.question) == (RANDOM, SEVENTH)
    assert (browser.state["neighbors"], browser.state["guess"]) == (9, False)
    assert browser.hints == ["The address sets guess to something that cannot be, so it is ignored."]


def test_an_address_of_nonsense_starts_the_page_afresh(browser):
    browser.update({"q": "nonsense"})
    visit = Visit()
    open_address(visit, "Search")
    assert (visit.tab, visit.question) == (DRAW, None)
    assert len(browser.hints) == 1


def test_what_the_browser_has_not_taken_up_yet_is_no_new_question(browser):
    visit = Visit()
    open_address(visit, "Search")
    visit.ask(SEVENTH)
    write_address(visit, {"q": "mnist-7"})
    browser.clear()  # the browser asks again before it has the new address
    open_address(visit, "Search")
    assert visit.question == SEVENTH


def test_going_back_in_the_browser_asks_what_was_asked_there(browser, monkeypatch):
    visit = Visit()
    open_address(visit, "Search")
    for digit in (SEVENTH, EIGHTH):
        visit.ask(digit)
        write_address(visit, {"q": digit.to_text(), "neighbors": "9"})
    monkeypatch.setattr(address, "_goes_back", lambda: True)
    browser.from_dict({"q": "mnist-7"})
    open_address(visit, "Search")
    assert visit.question == SEVENTH
    assert browser.state["neighbors"] == 4
    assert not visit.can_go_back()  # it is where `go_back` would lead


def test_going_back_onto_a_link_without_a_question_shows_what_the_page_was_reached_with(browser, monkeypatch):
    visit = Visit()
    open_address(visit, "Search")
    visit.ask(SEVENTH)
    browser.clear()  # a click on the navigation leads to an address without parameters
    open_address(visit, "Map")
    write_address(visit, {"q": "mnist-7"})
    visit.ask(EIGHTH)
    write_address(visit, {"q": "mnist-8"})
    monkeypatch.setattr(address, "_goes_back", lambda: True)
    browser.clear()
    open_address(visit, "Map")
    assert visit.question == SEVENTH
    n_written = browser.n_written
    write_address(visit, {"q": "mnist-7"})
    assert browser.n_written == n_written  # else Back would never pass this entry
    write_address(visit, {"q": "mnist-9"})
    assert browser == {"q": "mnist-9"}


def test_going_back_to_the_beginning_asks_nothing(browser, monkeypatch):
    visit = Visit()
    open_address(visit, "Search")
    visit.ask(SEVENTH)
    write_address(visit, {"q": "mnist-7", "neighbors": "6"})
    monkeypatch.setattr(address, "_goes_back", lambda: True)
    browser.clear()
    open_address(visit, "Search")
    assert visit.question is None
    assert browser.state["neighbors"] == 4


def test_a_link_from_another_page_takes_the_question_and_the_options_along(browser):
    visit = Visit()
    browser.update({"q": "mnist-7", "neighbors": "9"})
    open_address(visit, "Failures")
    browser.from_dict({"test": "true"})
    open_address(visit, "Search")
    assert visit.question == SEVENTH
    assert (browser.state["neighbors"], browser.state["test"]) == (9, True)


def test_a_run_that_is_ended_at_a_hint_has_asked_all_the_same(browser, monkeypatch):
    class Ended(BaseException):
        pass

    def end(sentence):
        raise Ended

    monkeypatch.setattr(address, "show_hint", end)
    browser.update({"q": "mnist-7", "neighbors": "many"})
    visit = Visit()
    with pytest.raises(Ended):
        open_address(visit, "Search")
    open_address(visit, "Search")
    assert visit.question == SEVENTH


def test_the_canvas_begins_with_the_drawing_on_arrival_from_another_page(browser):
    line = Drawing.of([[[10, 10], [10, 90]]])
    visit = Visit()
    open_address(visit, "Search")
    visit.draw(line)
    for page in ("Compare", "Search"):
        open_address(visit, page)
    assert (visit.question, visit.canvas_start) == (line, line)


def test_the_address_is_written_until_the_browser_and_the_page_agree(browser):
    visit = Visit()
    write_address(visit, {"q": "mnist-7", "neighbors": "5"})
    write_address(visit, {"q": "mnist-7", "neighbors": "5"})
    assert browser.n_written == 1
    browser["neighbors"] = "6"  # an older answer's address has arrived late
    write_address(visit, {"q": "mnist-7", "neighbors": "5"})
    assert (browser.n_written, browser["neighbors"]) == (2, "5")
    browser["neighbors"] = "7"  # the browser is ahead of what was written last
    write_address(visit, {"q": "mnist-7", "neighbors": "7"})
    assert browser.n_written == 3


def test_a_link_leaves_the_presenter_view_to_the_presenter(monkeypatch):
    monkeypatch.setattr(address, "address_for_others", lambda: "http://10.0.0.5:8501/")
    assert link_to({"q": "mnist-7", "present": "true"}) == "http://10.0.0.5:8501/?q=mnist-7"
