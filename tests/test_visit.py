import pytest

from autoencoder.query.question import Drawing, GalleryDigit, Picture
from autoencoder.ui.visit import CAMERA, DRAW, LONGEST_HISTORY, RANDOM, UPLOAD, Visit

LINE, HOOK = Drawing.of([[[10, 10], [10, 90]]]), Drawing.of([[[10, 10], [90, 10], [90, 90]]])
PICTURE = Picture(bytes(784))


def digits(n):
    return [GalleryDigit("mnist", index) for index in range(n)]


def test_a_visit_begins_with_a_blank_canvas():
    visit = Visit()
    assert (visit.tab, visit.question, visit.canvas_start) == (DRAW, None, None)
    assert not visit.can_go_back()
    visit.go_back()
    assert visit.question is None


def test_a_question_opens_the_tab_that_shows_it():
    visit = Visit()
    for question, tab in ((digits(1)[0], RANDOM), (PICTURE, UPLOAD), (LINE, DRAW)):
        visit.ask(question)
        assert (visit.tab, visit.question) == (tab, question)


def test_going_back_asks_what_was_asked_before_and_not_what_was_replaced():
    visit = Visit()
    visit.draw(LINE)
    first, second, third = digits(3)
    visit.ask(first)
    visit.replace(second)
    visit.ask(PICTURE, CAMERA)
    visit.ask(third)
    seen = []
    while visit.can_go_back():
        visit.go_back()
        seen.append((visit.tab, visit.question))
    assert seen == [(CAMERA, PICTURE), (RANDOM, second), (DRAW, LINE)]


def test_the_history_has_an_end():
    visit = Visit()
    for digit in digits(LONGEST_HISTORY + 50):
        visit.ask(digit)
    assert len(visit.history) == LONGEST_HISTORY
    assert visit.history[0] == (RANDOM, digits(50)[-1])


def test_each_tab_keeps_what_it_asks():
    visit = Visit()
    visit.draw(LINE)
    visit.ask(PICTURE, CAMERA)
    visit.turn_to(UPLOAD)
    assert visit.question is None
    visit.turn_to(DRAW)
    assert visit.question == LINE
    visit.turn_to(CAMERA)
    assert visit.question == PICTURE


def test_the_pen_goes_on_where_the_canvas_is_and_all_else_starts_it_anew():
    visit = Visit()
    visit.draw(LINE)
    assert visit.canvas_starts == 0
    visit.replace(HOOK, DRAW)
    assert (visit.canvas_start, visit.canvas_starts) == (HOOK, 1)
    visit.draw(LINE)
    visit.turn_to(RANDOM)
    visit.turn_to(DRAW)
    assert visit.canvas_start == LINE
    visit.draw(Drawing(()))
    assert visit.question is None
    visit.restart_canvas()
    assert visit.canvas_start is None


def test_what_is_said_of_a_question_belongs_to_it():
    visit = Visit()
    assert visit.told is None
    visit.draw(LINE)
    visit.tell(LINE, 1)
    visit.reveal(LINE)
    assert (visit.told, visit.is_revealed()) == (1, True)
    visit.draw(HOOK)
    assert (visit.told, visit.is_revealed()) == (None, False)
    visit.draw(LINE)
    assert (visit.told, visit.is_revealed()) == (1, True)
    visit.tell(LINE, None)
    assert visit.told is None


def test_a_late_click_says_nothing_of_a_question_that_it_did_not_see():
    visit = Visit()
    visit.draw(LINE)
    visit.draw(HOOK)  # and then comes a "Yes" to the line
    visit.tell(LINE, 1)
    visit.reveal(LINE)
    assert (visit.told, visit.is_revealed()) == (None, False)


def test_each_undo_takes_one_stroke_back():
    visit = Visit()
    visit.draw(Drawing(LINE.strokes + HOOK.strokes))
    visit.undo_stroke()
    assert visit.question == visit.canvas_start == LINE
    visit.undo_stroke()
    assert visit.question is None
    visit.undo_stroke()
    assert visit.question is None


@pytest.mark.parametrize("go_on", [lambda visit: visit.turn_to(DRAW), lambda visit: visit.ask(LINE)])
def test_a_problem_with_a_picture_goes_with_the_next_question(go_on):
    visit = Visit(tab=UPLOAD, problem="This is not a picture that can be read.")
    go_on(visit)
    assert visit.problem is None
