"""The class by AppTest: what a pupil can do, what the Class page shows, and what the teacher alone can do."""

import pytest
from classes import STROKES
from pages import headlines, lesson, on_canvas, search_page

from autoencoder.ui import teachers_desk
from autoencoder.ui.classroom import pin
from autoencoder.ui.loading import load_class, load_engine


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of a class that the app is given."""
    path = tmp_path / "class.db"
    monkeypatch.setenv("CLASS", str(path))
    load_class.clear()
    yield path
    if room := load_class(load_engine().engine.space).room:
        room.close()
    load_class.clear()


@pytest.fixture
def room(file):
    return load_class(load_engine().engine.space).room


@pytest.fixture
def seven():
    """The strokes of a 7 that every gallery here has look-alikes of."""
    return on_canvas(STROKES[7])


@pytest.fixture
def desk(room, strokes, seven):
    """The desk with a 7 on its canvas."""
    strokes[:] = seven
    return search_page()


def send(app):
    app.button(key="send_to_class").click().run()
    assert not app.exception


def said(app):
    return " ".join(element.value for element in [*app.markdown, *app.info, *app.caption])


def test_without_a_class_nothing_is_sent_and_the_page_says_how_to_start_one(monkeypatch, strokes, seven):
    monkeypatch.delenv("CLASS", raising=False)
    load_class.clear()
    strokes[:] = seven
    assert "send_to_class" not in [button.key for button in search_page().button]
    assert "make class" in lesson("classroom").info[0].value


def test_a_file_that_is_no_class_is_told_on_the_page_and_search_goes_on(file, strokes, seven):
    file.write_text("a text")
    strokes[:] = seven
    app = search_page()
    assert headlines(app)
    assert "send_to_class" not in [button.key for button in app.button]
    assert f"{file} is no class" in lesson("classroom").info[0].value


def test_a_drawing_is_sent_with_the_digit_that_most_look_alikes_show(desk, room):
    assert headlines(desk) == ["All 4 look-alikes are 7s."]
    send(desk)
    (sent,) = room.wall.sent
    assert (sent.digit, sent.found) == (7, True)
    assert "Sent: a **7**." in said(desk)


def test_who_meant_another_digit_says_so_and_the_answer_is_judged_by_it(desk, room):
    meant = next(box for box in desk.selectbox if str(box.key).startswith("meant-"))
    meant.set_value(1).run()
    send(desk)
    assert [(sent.digit, sent.found) for sent in room.wall.sent] == [(1, False)]
    assert headlines(desk)[0].startswith("Missed: the query is a 1")


def test_what_was_sent_can_be_taken_back(desk, room):
    send(desk)
    desk.button(key="withdraw").click().run()
    assert room.wall.sent == ()
    assert desk.button(key="send_to_class")


def test_another_visit_cannot_take_it_back_or_send_it_again(desk, room):
    send(desk)
    other = search_page()
    keys = [button.key for button in other.button]
    assert "On the wall already: a **7**." in said(other)
    assert not {"withdraw", "send_to_class"} & set(keys)


def test_a_frozen_wall_takes_nothing(desk, room):
    room.freeze(True)
    desk.button(key="send_to_class").click().run()
    assert room.wall.sent == ()
    assert "The wall is frozen" in " ".join(toast.value for toast in desk.toast)
    assert "The wall is frozen." in said(search_page())
    room.freeze(False)
    desk.button(key="send_to_class").click().run()  # of a page that still says so
    assert [sent.digit for sent in room.wall.sent] == [7]


def test_before_an_answer_is_guessed_nothing_says_what_was_found(room, strokes, seven):
    strokes[:] = seven
    app = search_page(guess="true")
    assert app.button(key="send_to_class").disabled
    assert [box.value for box in app.selectbox if str(box.key).startswith("meant-")] == [None]
    app.button(key="reveal").click().run()
    assert not app.button(key="send_to_class").disabled


def test_a_gallery_that_learns_finds_the_class_drawings_and_marks_them(desk, room, strokes):
    send(desk)
    room.learn(True)
    strokes[:] = [stroke + 1 for stroke in strokes]  # the same digit beside where it was
    app = search_page()
    first = next(button for button in app.button if "-neighbor-1-" in button.key)
    assert first.label == ":material/groups: 7"
    assert "a 7 of the class" in said(app)
    assert "and one drawing of the class" in said(app)


def test_a_drawing_of_the_class_is_left_out_of_its_own_answer(desk, room):
    send(desk)
    room.learn(True)
    app = search_page()
    assert "The query is one of them and is left out." in said(app)
    assert not any(":material/groups:" in button.label for button in app.button)


@pytest.mark.parametrize(
    ("section", "expected"),
    [("Wall", "One drawing"), ("Score", "1 of 1 found"), ("Map", "One drawing"), ("Teach", "does not learn")],
)
def test_each_section_of_the_page_shows_what_was_sent(desk, section, expected):
    send(desk)
    app = lesson("classroom")
    app.button_group(key="class_section").set_value(section).run()
    assert not app.exception
    assert expected in said(app) + " ".join(headlines(app))


def test_a_pupil_sees_no_tool_of_the_teacher(desk, room):
    send(desk)
    app = lesson("classroom", q=room.wall.sent[0].drawing)
    assert "7, found" in headlines(app)[0]
    keys = {str(button.key) for button in app.button}
    assert not [key for key in keys if key.startswith("teacher-") or key in ("hide", "learn")]


def test_the_pin_opens_the_teacher_s_tools_and_a_wrong_one_does_not(desk, room):
    send(desk)
    app = lesson("classroom", q=room.wall.sent[0].drawing)
    wrong = f"{(int(pin()) + 1) % 10**8:08}"
    app.text_input(key="pin").set_value(wrong).run()
    assert "That is not the PIN." in app.toast[0].value
    app.text_input(key="pin").set_value(f" {pin()[:4]} {pin()[4:]} ").run()
    app.button(key="hide").click().run()
    assert not app.exception
    assert (room.wall.sent, room.wall.n_hidden) == ((), 1)
    app.button(key="teacher-:material/undo:").click().run()
    assert len(room.wall.sent) == 1


def test_a_new_class_has_a_file_of_its_own(desk, room, file):
    send(desk)
    app = lesson("classroom")
    app.text_input(key="pin").set_value(pin()).run()
    app.button(key="teacher-:material/add:").click().run()
    assert not app.exception
    assert room.wall.sent == ()
    assert room.path.parent == file.parent
    assert room.path != file


@pytest.mark.parametrize("act", [teachers_desk.hide, teachers_desk.learn])
def test_an_act_of_the_teacher_is_refused_to_others_whatever_they_call(room, monkeypatch, act):
    told = []
    monkeypatch.setattr(teachers_desk, "is_teacher", lambda: False)
    monkeypatch.setattr(teachers_desk.st, "toast", lambda text, **options: told.append(text))
    before = room.wall
    act(room, True)
    assert told == [teachers_desk.NOT_THE_TEACHER]
    assert room.wall is before
