import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from autoencoder import artifacts
from autoencoder.classroom import room as room_module
from autoencoder.classroom import store as store_module
from autoencoder.classroom.room import Classroom
from autoencoder.classroom.store import ClassError, ClassStore, Sent
from autoencoder.data import NO_DIGIT, Digits, StoredImages
from autoencoder.ink.preprocess import digit_from_strokes, to_bytes
from autoencoder.query.engine import Engine
from autoencoder.query.question import Drawing, from_text
from autoencoder.query.search import NearestNeighbors, SearchError

MINE, OTHERS = 7, 8  # visits
NOON = 1_000_000.0


class InkColumns:
    """A space in which a drawing is its leaning: how many columns have ink, and how much ink there is, a hint of it."""

    def transform(self, images):
        images = np.asarray(images, np.float32)
        latents = np.zeros((len(images), 32), np.float32)
        latents[:, 0] = images.any(axis=1).sum(axis=1) + images.sum(axis=(1, 2)) / 1e4
        return latents

    def inverse_transform(self, latents):
        return np.zeros((len(latents), 28, 28), np.float32)

    def encode_and_decode(self, digit):
        return self.transform(digit[None])[0], np.zeros((28, 28), np.float32)


def line(dx, dy=240, at=20):
    """A straight line; from upright (0, 240) to flat (240, 0) it takes more and more columns."""
    return Drawing.of([np.array([[at, at], [at + dx, at + dy]])])


UPRIGHT, FLAT, LEANING = line(0), line(240, 2), [line(150 + step, 240) for step in range(8)]


@pytest.fixture
def typical():
    """What is typical, by hand: a test says whether everything is strange."""
    now = SimpleNamespace(strange=0.5, is_all_strange=False, error_rank=lambda error: 0.5)
    now.strangeness = lambda traits: np.full(len(traits.errors), float(now.is_all_strange))
    return now


@pytest.fixture
def engine(typical):
    """Four upright 1s and four flat 7s."""
    drawn = [line(step, 240) for step in range(4)] + [line(240, step) for step in range(4)]
    images = np.stack([digit_from_strokes(drawing.strokes) for drawing in drawn])
    gallery = Digits(
        "lines", StoredImages(to_bytes(images)), np.repeat([1, 7], 4).astype(np.uint8), "0" * 64, "8 lines"
    )
    space = InkColumns()
    return Engine(gallery, NearestNeighbors(space.transform(images)), typical, space)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "today.db"


@pytest.fixture
def room(path):
    opened = Classroom(path, InkColumns())
    yield opened
    opened.close()


@pytest.fixture
def send(room, engine):
    """Send a drawing, each two seconds after the one before."""
    clock = iter(range(100_000))

    def at_leisure(drawing, digit=7, *, visit=MINE, to=room):
        return to.send(drawing, digit, engine, visit=visit, now=NOON + 2 * next(clock))

    return at_leisure


def kept(room):
    """What is in the file of a class that is still open: its own reader has it."""
    return room._store.sent()


def state(room):
    """All that a failure must leave as it is."""
    wall = room.wall
    return wall, wall.sent, wall.version, kept(room), len(room._growing.added), list(room._all), dict(wall.places)


def test_a_new_class_has_an_empty_wall(room, path, engine):
    wall = room.wall
    assert (wall.sent, len(wall.added), wall.learns, wall.is_frozen, wall.n_hidden) == ((), 0, False, False, 0)
    assert wall.teach(engine) is engine
    assert room.path == path


def test_what_was_sent_is_on_the_wall_and_in_the_file(room, engine):
    sent = room.send(FLAT, 7, engine, visit=MINE, now=NOON)
    assert sent == Sent(FLAT.to_text(), 7, NOON, MINE, 4, 4, True, 7, number=1)
    assert room.wall.sent == (sent,)
    assert kept(room) == [sent]
    assert room.wall.added.labels.tolist() == [7]
    digit = digit_from_strokes(FLAT.strokes)
    np.testing.assert_array_equal(room.wall.added.images[0], to_bytes(digit))
    np.testing.assert_array_equal(room.wall.added.latents, InkColumns().transform(digit[None]))


def test_the_wall_says_where_a_drawing_is(room, send):
    send(FLAT)
    before = room.wall
    send(UPRIGHT, 1)
    assert [room.wall.index_of(drawing) for drawing in (FLAT, UPRIGHT, LEANING[0])] == [0, 1, None]
    assert before.index_of(UPRIGHT) is None


def test_each_drawing_is_judged_before_it_is_added(send):
    # Leaning lines are nearest to the flat 7s, until there are enough of them.
    judged = [send(drawing, 4) for drawing in LEANING[:6]]
    assert [one.alone for one in judged] == [0] * 6
    assert [one.learned for one in judged] == [0, 1, 2, 3, 4, 4]
    assert [one.taken_for for one in judged] == [7] * 6
    assert not any(one.found for one in judged)  # the search, as the visitors have it, has not learned them


def test_where_the_gallery_learns_what_is_found_is_found_among_the_class_too(room, send):
    room.learn(True)
    judged = [send(drawing, 4) for drawing in LEANING[:6]]
    assert [one.found for one in judged] == [False, False, False, True, True, True]
    assert [one.alone for one in judged] == [0] * 6
    assert judged[0].taken_for == 7
    assert [one.taken_for for one in judged[3:]] == [4, 4, 4]


def test_what_is_no_digit_is_found_where_nothing_looks_like_it(send, typical):
    assert not send(LEANING[0], NO_DIGIT).found
    typical.is_all_strange = True
    assert send(LEANING[1], NO_DIGIT).found
    assert not send(LEANING[2], 4).found
    assert send(LEANING[3], NO_DIGIT).learned == 2


def test_the_gallery_learns_from_the_next_query_on_and_no_longer_once_it_is_switched_off(room, send, engine):
    send(LEANING[0], 4)
    assert room.wall.teach(engine) is engine
    room.learn(True)
    taught = room.wall.teach(engine)
    assert taught.gallery.title == "8 lines and one drawing of the class"
    nearest = taught.search(digit_from_strokes(LEANING[1].strokes), 4).neighbors
    assert (nearest[0].index, nearest[0].label, nearest[0].is_added) == (8, 4, True)
    assert [one.is_added for one in nearest[1:]] == [False] * 3
    send(LEANING[1], 4)
    assert room.wall.teach(engine).gallery.title == "8 lines and 2 drawings of the class"
    assert len(taught.gallery) == 9
    room.learn(False)
    assert room.wall.teach(engine) is engine


def test_the_same_drawing_is_refused_and_is_no_neighbor_twice(room, send):
    send(FLAT)
    before = state(room)
    with pytest.raises(ClassError, match="has been sent already"):
        send(FLAT, visit=OTHERS)
    assert state(room) == before


def test_a_visit_sends_one_drawing_a_second(room, engine):
    room.send(FLAT, 7, engine, visit=MINE, now=NOON)
    with pytest.raises(ClassError, match=r"^Not so fast: send one drawing a second\.$"):
        room.send(UPRIGHT, 1, engine, visit=MINE, now=NOON + 0.9)
    room.send(LEANING[0], 1, engine, visit=OTHERS, now=NOON + 0.9)
    room.send(UPRIGHT, 1, engine, visit=MINE, now=NOON + 1)
    assert [one.visit for one in room.wall.sent] == [MINE, OTHERS, MINE]


def test_a_visit_sends_so_many_drawings_and_no_more(room, send, monkeypatch):
    assert room_module.MOST_OF_A_VISIT == 200
    monkeypatch.setattr(room_module, "MOST_OF_A_VISIT", 2)
    sent = [send(LEANING[step]) for step in range(2)]
    with pytest.raises(ClassError, match=r"^You have sent 2 drawings\. That is enough for one visit\.$"):
        send(FLAT)
    room.withdraw(sent[1].number, visit=MINE, now=sent[1].at)  # not to be had for sending without end
    with pytest.raises(ClassError, match="enough for one visit"):
        send(FLAT)
    assert send(FLAT, visit=OTHERS).number == 3


def test_a_drawing_too_large_for_an_address_is_refused(room, send):
    zigzag = Drawing.of([np.array([[20 + 200 * (step % 2), step / 5] for step in range(1200)])])
    before = state(room)
    with pytest.raises(ClassError, match=r"^This drawing is too large to be sent: draw it with fewer strokes\.$"):
        send(zigzag)
    assert state(room) == before


def test_a_drawing_that_an_address_can_say_is_not_too_large(send):
    rays = [np.array([np.cos(angle), np.sin(angle)]) for angle in np.linspace(0, 6, 444)]
    longest = Drawing.of([140 + np.outer([100, 106], ray) for ray in rays])
    assert len(longest.to_text()) > 4000  # with the word "strokes-" before the 4,000 characters that may follow it
    assert from_text(longest.to_text()) == longest
    assert send(longest).number == 1


@pytest.mark.parametrize("drawing", [Drawing(()), line(0, 0), line(5, 5)], ids=["blank", "point", "dot"])
def test_what_shows_nothing_is_refused(room, send, drawing):
    before = state(room)
    with pytest.raises(ClassError, match=r"^This is no drawing to search for\.") as refusal:
        send(drawing)
    assert "received" not in str(refusal.value)  # a sentence for a visitor
    assert state(room) == before


def test_a_class_that_is_full_takes_nothing_more(room, send, engine, monkeypatch):
    monkeypatch.setattr(room_module, "MOST_ADDED", 2)
    send(FLAT)
    with pytest.raises(ClassError, match=r"^A class has room for 2 drawings: start a new one\.$"):
        room.bring([(LEANING[0], 4, NOON), (LEANING[1], 4, NOON)], engine)
    last = send(UPRIGHT)
    room.hide(last.number)
    with pytest.raises(ClassError, match="start a new one"):
        send(LEANING[0])
    assert [one.number for one in room.wall.sent] == [1]


def test_a_frozen_wall_takes_nothing_until_it_is_free(room, send):
    sent = send(FLAT)
    room.freeze(True)
    assert room.wall.is_frozen
    with pytest.raises(ClassError, match=r"^The wall is frozen: nothing can be sent now\.$"):
        send(UPRIGHT)
    assert room.wall.sent == (sent,)
    room.freeze(False)
    send(UPRIGHT)
    assert len(room.wall.sent) == 2


def test_one_s_own_drawing_can_be_withdrawn_for_a_minute(room, send):
    first, second = send(FLAT), send(UPRIGHT, 1)
    with pytest.raises(ClassError, match=r"more than a minute ago: ask your teacher"):
        room.withdraw(second.number, visit=MINE, now=second.at + 61)
    with pytest.raises(ClassError, match=r"^This drawing is no longer there\.$"):
        room.withdraw(second.number, visit=OTHERS, now=second.at)
    assert room.wall.sent == (first, second)
    room.withdraw(first.number, visit=MINE, now=first.at + 60)
    assert room.wall.sent == (second,)
    assert kept(room) == [second]
    assert room.wall.added.labels.tolist() == [1]
    assert (room.wall.index_of(FLAT), room.wall.index_of(UPRIGHT)) == (None, 0)
    with pytest.raises(ClassError, match="no longer there"):
        room.withdraw(first.number, visit=MINE, now=first.at)
    assert send(FLAT).number == 3


def test_what_is_hidden_is_off_the_wall_and_out_of_the_gallery_until_it_is_undone(room, send, engine):
    room.learn(True)
    first, second, third = (send(drawing, 4) for drawing in LEANING[:3])
    room.hide(second.number)
    assert (room.wall.sent, room.wall.n_hidden) == ((first, third), 1)
    assert len(room.wall.teach(engine).gallery) == 10
    assert [room.wall.index_of(drawing) for drawing in LEANING[:3]] == [0, None, 1]
    room.clear()
    assert (room.wall.sent, room.wall.n_hidden, len(room.wall.added)) == ((), 3, 0)
    assert room.wall.teach(engine) is engine
    room.undo()
    assert (room.wall.sent, room.wall.n_hidden) == ((first, third), 1)
    room.undo()
    room.undo()
    assert (room.wall.sent, room.wall.n_hidden) == ((first, second, third), 0)
    assert room.wall.added.labels.tolist() == [4, 4, 4]


def test_after_hiding_the_next_drawings_are_judged_by_what_is_on_the_wall(room, send):
    sent = [send(drawing, 4) for drawing in LEANING[:3]]
    room.hide(sent[0].number)
    assert send(LEANING[3], 4).learned == 2
    assert [one.number for one in room.wall.sent] == [2, 3, 4]
    assert room.wall.index_of(LEANING[3]) == 2


def test_a_drawing_that_is_hidden_cannot_be_sent_anew(room, send):
    room.hide(send(FLAT).number)
    with pytest.raises(ClassError, match="has been sent already"):
        send(FLAT)
    assert room.wall.sent == ()


def test_another_class_drawings_are_brought_unless_they_are_known(room, send, engine):
    first = send(LEANING[0], 4)
    drawings = [(drawing, 4, NOON - number) for number, drawing in enumerate(LEANING[:3])]
    assert room.bring([*drawings, drawings[2]], engine) == 2
    assert room.bring(drawings, engine) == 0
    assert room.bring([], engine) == 0
    wall = room.wall
    assert wall.sent[0] == first
    assert [(one.digit, one.at, one.visit) for one in wall.sent[1:]] == [(4, NOON - 1, 0), (4, NOON - 2, 0)]
    assert [one.learned for one in wall.sent] == [0, 1, 2]  # each judged before it was added
    assert kept(room) == list(wall.sent)


def test_of_drawings_among_which_one_is_none_nothing_is_brought(room, send, engine):
    send(FLAT)
    before = state(room)
    with pytest.raises(ClassError, match="no drawing to search for"):
        room.bring([(LEANING[0], 4, NOON), (line(0, 0), 4, NOON)], engine)
    assert state(room) == before


def test_nobody_can_withdraw_what_was_brought(room, engine):
    room.bring([(FLAT, 7, NOON)], engine)
    with pytest.raises(ClassError, match="no longer there"):
        room.withdraw(1, visit=MINE, now=NOON)


def test_a_class_that_is_opened_again_has_the_wall_as_it_was(room, send, path, engine):
    room.learn(True)
    room.freeze(True)
    room.freeze(False)
    sent = [send(drawing, digit) for drawing, digit in zip(LEANING, (4, 4, NO_DIGIT, 4, 7), strict=False)]
    room.hide(sent[1].number)
    room.withdraw(sent[3].number, visit=MINE, now=sent[3].at)
    before = room.wall
    room.close()
    again = Classroom(path, InkColumns())
    wall = again.wall
    assert (wall.sent, wall.learns, wall.is_frozen, wall.n_hidden) == (before.sent, True, False, 1)
    for name in ("images", "labels", "latents"):
        np.testing.assert_array_equal(getattr(wall.added, name), getattr(before.added, name))
    assert wall.teach(engine).gallery.title == before.teach(engine).gallery.title
    again.undo()
    assert [one.number for one in again.wall.sent] == [1, 2, 3, 5]
    assert send(UPRIGHT, to=again).number == 6
    again.close()


def test_a_class_is_started_anew_and_the_file_before_is_left_as_it_was(room, send, path, tmp_path):
    room.learn(True)
    sent = send(FLAT)
    before = room.wall
    room.start_anew(tmp_path / "tomorrow.db")
    assert room.path == tmp_path / "tomorrow.db"
    assert (room.wall.sent, room.wall.learns, len(room.wall.added)) == ((), False, 0)
    assert room.wall.version > before.version
    assert before.sent == (sent,)
    assert send(FLAT).number == 1
    old = ClassStore(path)
    assert old.sent() == [sent]
    old.close()


def as_folder(path):
    path.mkdir()


def as_text(path):
    path.write_text("notes")


def as_class_without_drawings(path):
    store = ClassStore(path)
    store.add([Sent("strokes-!", 4, NOON, MINE, 0, 0, False, None)])
    store.close()


@pytest.mark.parametrize("make", [as_folder, as_text, as_class_without_drawings])
def test_where_a_new_class_cannot_be_opened_the_present_one_goes_on(room, send, path, tmp_path, make):
    send(FLAT)
    make(tmp_path / "next.db")
    before = state(room)
    with pytest.raises(ClassError):
        room.start_anew(tmp_path / "next.db")
    assert (room.path, state(room)) == (path, before)
    assert send(UPRIGHT).number == 2
    room.undo()  # reads the file
    assert len(room.wall.sent) == 2
    if make is as_class_without_drawings:
        ClassStore(tmp_path / "next.db").close()  # it is free


def test_a_class_whose_drawings_are_none_is_refused_and_its_file_is_free(path):
    as_class_without_drawings(path)
    with pytest.raises(ClassError, match="no drawing"):
        Classroom(path, InkColumns())
    ClassStore(path).close()


def test_the_class_that_is_open_cannot_be_started_anew(room, send, path, monkeypatch):
    monkeypatch.setattr(store_module, "LOCKED_FOR_S", 0.1)
    send(FLAT)
    with pytest.raises(ClassError, match="in use"):
        room.start_anew(path)
    assert send(UPRIGHT).number == 2


ACTS = {
    "send": lambda room, engine: room.send(UPRIGHT, 1, engine, visit=OTHERS, now=NOON + 50),
    "bring": lambda room, engine: room.bring([(drawing, 4, NOON) for drawing in LEANING], engine),
    "withdraw": lambda room, engine: room.withdraw(1, visit=MINE, now=NOON),
    "hide": lambda room, engine: room.hide(1),
    "clear": lambda room, engine: room.clear(),
    "undo": lambda room, engine: room.undo(),
    "freeze": lambda room, engine: room.freeze(True),
    "learn": lambda room, engine: room.learn(False),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_that_cannot_be_written_down_leaves_all_as_it_was(room, send, engine, path, act):
    room.learn(True)
    send(FLAT)
    room.hide(send(LEANING[7]).number)
    before, away = state(room), path.with_name("away")
    path.rename(away)
    with pytest.raises(ClassError, match=r"today\.db is no longer there"):
        ACTS[act](room, engine)
    assert state(room) == before
    away.rename(path)
    ACTS[act](room, engine)
    assert room.wall.version > before[0].version


def test_on_a_full_disk_the_wall_stays_as_it_was(room, send, engine):
    send(FLAT)
    before, base = state(room), room._store._base
    base.execute(f"PRAGMA max_page_count = {base.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(ClassError, match="The disk is full"):
        room.bring([(line(step, 220), 4, NOON) for step in range(200)], engine)
    assert state(room) == before


def test_where_the_gallery_does_not_answer_nothing_is_taken(room, send, engine, monkeypatch):
    send(FLAT)
    before = state(room)

    def fail(*arguments, **options):
        raise SearchError("The server does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(engine.nearest, "kneighbors", fail)
        with pytest.raises(SearchError):
            room.send(UPRIGHT, 1, engine, visit=OTHERS, now=NOON)
    assert state(room) == before
    assert room.send(UPRIGHT, 1, engine, visit=OTHERS, now=NOON).number == 2


def test_a_wall_never_changes_while_many_send(room, engine):
    is_done, n_visits, n_each = threading.Event(), 6, 8

    def send(visit):
        for step in range(n_each):
            room.send(line(visit * 20 + step, 200), 4, engine, visit=visit, now=NOON + 2 * step)

    def watch():
        walls = []
        while not is_done.wait(0.001) or not walls:
            if not walls or walls[-1][0] is not room.wall:
                wall = room.wall
                walls.append((wall, len(wall.sent), wall.added.images.copy(), wall.added.latents.copy()))
        return walls

    with ThreadPoolExecutor(n_visits + 2) as pool:
        watching = [pool.submit(watch) for _ in range(2)]
        try:
            for sending in [pool.submit(send, visit) for visit in range(1, n_visits + 1)]:
                sending.result()
        finally:
            is_done.set()
        seen = [walls.result() for walls in watching]
    for walls in seen:
        assert [wall.version for wall, *_ in walls] == sorted({wall.version for wall, *_ in walls})
        for wall, n, images, latents in walls:
            assert len(wall.sent) == len(wall.added) == n
            assert wall.sent == room.wall.sent[:n]
            np.testing.assert_array_equal(wall.added.images, images)
            np.testing.assert_array_equal(wall.added.latents, latents)
    assert [one.number for one in room.wall.sent] == list(range(1, n_visits * n_each + 1))
    assert kept(room) == list(room.wall.sent)


def test_the_wall_is_read_while_another_sends(room, engine, monkeypatch):
    is_judging, may_go_on = threading.Event(), threading.Event()
    search = engine.search

    def slow(*arguments, **options):
        is_judging.set()
        assert may_go_on.wait(10)
        return search(*arguments, **options)

    monkeypatch.setattr(engine, "search", slow)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(room.send, FLAT, 7, engine, visit=MINE, now=NOON)
        assert is_judging.wait(10)
        seen = room.wall.sent
        may_go_on.set()
        assert seen == ()
        assert room.wall.sent in ((), (sending.result(),))
    assert len(room.wall.sent) == 1


def test_by_the_network_a_drawing_finds_the_class_that_it_is_like(path, bundled):
    engine = Engine.load(bundled, artifacts.DIRECTORY)
    room = Classroom(path, engine.space)
    room.learn(True)
    loops = [Drawing.of([np.array([[60, 220], [120, 60], [180, 220], [60 + step, 100]])]) for step in range(6)]
    sent = [room.send(drawing, NO_DIGIT, engine, visit=visit, now=NOON) for visit, drawing in enumerate(loops)]
    assert [one.alone for one in sent] == [0] * 6
    assert sent[0].learned == 0
    assert sent[-1].learned == 4
    assert sent[-1].found
    nearest = room.wall.teach(engine).search(digit_from_strokes(loops[5].strokes), 1).neighbors[0]
    assert (nearest.index, nearest.label, nearest.is_added) == (len(engine.gallery) + 5, NO_DIGIT, True)
    room.close()
