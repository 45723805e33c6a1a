import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from autoencoder.classroom import store as store_module
from autoencoder.classroom.store import MIGRATIONS, ClassError, ClassStore, Sent
from autoencoder.data import NO_DIGIT

ONE = Sent("strokes-0a0b1c1d", 3, 1.5, 7, 1, 2, False, 8)
OTHER = Sent("strokes-2a2b3c3d", NO_DIGIT, 2.5, 2**53 - 1, 0, 4, True, None)

# Adds drawings one after the other, and prints the number of each once it is told that it is kept.
ADDING = """
import sys
from autoencoder.classroom.store import ClassStore, Sent
store = ClassStore(sys.argv[1])
for i in range(100_000):
    (number,) = store.add([Sent(f"strokes-{i:08}", 3, float(i), 7, 1, 2, False, None)])
    print(number, flush=True)
"""
HOLDING = """
import sys
from autoencoder.classroom.store import ClassStore
store = ClassStore(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def drawings(n, start=0):
    return [replace(ONE, drawing=f"strokes-{number:08}") for number in range(start, start + n)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "classes" / "today.db"


@pytest.fixture
def store(path):
    opened = ClassStore(path)
    yield opened
    opened.close()


@pytest.fixture
def run():
    """Start Python code with arguments in another process, which ends with the test at the latest."""
    started = []

    def start(code, *arguments):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def reopened(store):
    store.close()
    again = ClassStore(store.path)
    sent, switches = again.sent(), again.switches()
    again.close()
    return sent, switches


def damaged(path, change):
    """A class of 100 drawings whose bytes a function has changed."""
    store = ClassStore(path)
    store.add(drawings(100))
    store.close()
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def test_what_is_added_comes_back_as_it_was_with_its_number(store):
    assert store.add([ONE, OTHER]) == [1, 2]
    expected = [replace(ONE, number=1), replace(OTHER, number=2)]
    assert store.sent() == expected
    assert [type(one.found) for one in store.sent()] == [bool, bool]
    assert reopened(store) == (expected, {})


def test_drawings_come_in_the_order_in_which_they_were_sent_and_no_number_comes_twice(store):
    assert store.add(reversed(drawings(3))) == [1, 2, 3]
    store.remove(3)
    assert store.add([ONE]) == [4]
    assert [one.number for one in store.sent()] == [1, 2, 4]
    assert [one.drawing for one in store.sent()] == ["strokes-00000002", "strokes-00000001", ONE.drawing]


def test_the_same_drawing_is_refused_and_so_is_all_that_was_to_come_with_it(store):
    store.add([ONE])
    with pytest.raises(ClassError, match=r"^This drawing has been sent already\.$"):
        store.add([OTHER, replace(ONE, digit=5)])
    assert store.sent() == [replace(ONE, number=1)]
    assert store.add([OTHER]) == [2]


def test_a_drawing_that_was_removed_can_be_sent_anew(store):
    store.add([ONE])
    store.remove(1)
    assert store.sent() == []
    assert store.add([ONE]) == [2]


def test_what_is_hidden_is_taken_back_act_by_act(store):
    store.add(drawings(4))

    def hidden():
        return [one.hidden for one in store.sent()]

    store.hide([2])
    store.hide([1, 4])
    assert hidden() == [2, 1, 0, 2]
    assert [one.hidden for one in reopened(store)[0]] == [2, 1, 0, 2]
    store = ClassStore(store.path)
    store.undo_hiding()
    assert hidden() == [0, 1, 0, 0]
    store.undo_hiding()
    store.undo_hiding()  # there is nothing left to take back
    assert hidden() == [0, 0, 0, 0]
    store.close()


def test_a_switch_stays_as_it_was_set(store):
    assert store.switches() == {}
    store.switch("learns", True)
    store.switch("frozen", True)
    store.switch("frozen", False)
    assert store.switches() == {"learns": True, "frozen": False}
    assert reopened(store)[1] == {"learns": True, "frozen": False}


def traces(path, removed):
    """Those of some drawings of which eight points in a row, 32 characters, are in one of the class' files."""
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    pieces = {content[at : at + 32] for at in range(len(content))}
    return [one for one in removed if any(one[at : at + 32].encode() in pieces for at in range(8, len(one) - 31))]


def random_drawings(n, rng):
    lengths = [4 * rng.randint(8, 60) for _ in range(n)]
    return [replace(ONE, drawing="strokes-" + "".join(rng.choices("0123456789abcdef", k=k))) for k in lengths]


@pytest.mark.parametrize("is_closed", [True, False])
def test_of_drawings_that_were_removed_nothing_is_left_in_the_file(path, is_closed):
    rng = random.Random(0)
    some = random_drawings(300, rng)
    store = ClassStore(path)
    numbers = [store.add([one])[0] for one in some]
    assert len(traces(path, [one.drawing for one in some])) == 300
    removed = rng.sample(range(300), 150)
    for index in removed:
        store.remove(numbers[index])
    if is_closed:
        store.close()
    left = traces(path, [some[index].drawing for index in removed])
    store.close()
    assert left == []


def test_what_was_told_to_be_kept_survives_a_kill(path, run):
    writer = run(ADDING, path)
    told = [int(writer.stdout.readline()) for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    told += map(int, writer.stdout.read().split())
    store = ClassStore(path)
    kept = store.sent()
    store.close()
    assert told == list(range(1, len(told) + 1))
    assert [one.number for one in kept] in (told, [*told, len(told) + 1])  # one was kept, and not yet told
    assert [one.drawing for one in kept] == [f"strokes-{number - 1:08}" for number in range(1, len(kept) + 1)]


def test_a_change_is_on_the_disk_before_its_call_returns(store):
    # Nobody can cut the power here: this is what SQLite promises to survive it with.
    settings = [store._base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]


def test_a_second_server_is_refused_until_the_first_has_ended(path, run, monkeypatch):
    monkeypatch.setattr(store_module, "LOCKED_FOR_S", 0.1)
    first = run(HOLDING, path)
    assert first.stdout.readline() == "held\n"
    with pytest.raises(ClassError, match=r"today\.db is in use by another server: end that one"):
        ClassStore(path)
    first.kill()
    first.wait()
    ClassStore(path).close()


def test_a_second_server_waits_a_moment_for_the_first_to_end(path):
    first = ClassStore(path)
    ending = threading.Timer(0.2, first.close)
    ending.start()
    ClassStore(path).close()
    ending.join()


def test_the_same_process_cannot_open_a_class_twice(store, path, monkeypatch):
    monkeypatch.setattr(store_module, "LOCKED_FOR_S", 0.1)
    with pytest.raises(ClassError, match="is in use by another server"):
        ClassStore(path)
    assert store.add([ONE]) == [1]


def test_many_threads_add_and_read_at_once(store):
    def add(some):
        store.add([some])
        return len(store.sent())

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(add, drawings(80)))
    assert [one.number for one in store.sent()] == list(range(1, 81))
    assert sorted(one.drawing for one in store.sent()) == [one.drawing for one in drawings(80)]
    assert max(seen) == 80


def test_on_a_full_disk_nothing_more_is_kept_and_nothing_is_lost(store):
    store.add([ONE])
    before = store._base.execute("PRAGMA max_page_count").fetchone()[0]
    n_pages = store._base.execute("PRAGMA page_count").fetchone()[0]
    store._base.execute(f"PRAGMA max_page_count = {n_pages}")
    with pytest.raises(ClassError, match=r"^The disk is full, so nothing more can be kept in .*today\.db\. Make room"):
        store.add(drawings(500))
    assert store.sent() == [replace(ONE, number=1)]
    store._base.execute(f"PRAGMA max_page_count = {before}")
    assert len(store.add(drawings(500))) == 500
    assert len(reopened(store)[0]) == 501


def test_a_folder_that_may_not_be_written_to_is_reported(tmp_path, as_nobody):
    (tmp_path / "classes").mkdir()
    (tmp_path / "classes").chmod(0o500)
    with as_nobody():
        with pytest.raises(ClassError, match="cannot be opened or made: name a file in a folder that this user may"):
            ClassStore(tmp_path / "classes" / "today.db")
        with pytest.raises(ClassError, match=r"more cannot be made.*name another folder"):
            ClassStore(tmp_path / "classes" / "more" / "today.db")


@pytest.mark.parametrize("mode", [0o400, 0])
def test_a_file_that_may_not_be_written_to_is_reported(path, as_nobody, mode):
    ClassStore(path).close()
    path.chmod(mode)
    with as_nobody(), pytest.raises(ClassError, match=r"today\.db cannot be (written to|opened)"):
        ClassStore(path)


def test_a_class_in_a_folder_that_may_not_be_written_to_is_reported(path, as_nobody):
    ClassStore(path).close()
    path.parent.chmod(0o500)
    with as_nobody(), pytest.raises(ClassError, match=r"today\.db cannot be (written to|opened)"):
        ClassStore(path)


def test_a_folder_that_may_no_longer_be_looked_into_is_reported(path, as_nobody):
    path.parent.mkdir()
    with as_nobody():
        store = ClassStore(path)
        store.add([ONE])
        path.parent.chmod(0)
        try:
            with pytest.raises(ClassError, match=r"today\.db"):
                store.add([OTHER])
            assert store.sent() == [replace(ONE, number=1)]
        finally:
            path.parent.chmod(0o700)
            store.close()


def test_an_empty_file_becomes_a_class(tmp_path):
    (tmp_path / "empty.db").touch()
    store = ClassStore(tmp_path / "empty.db")
    assert store.add([ONE]) == [1]
    store.close()


@pytest.mark.parametrize("content", [b"notes", b"number,digit\n1,3\n" * 300], ids=["short", "long"])
def test_a_text_is_no_class(tmp_path, content):
    (tmp_path / "notes.txt").write_bytes(content)
    with pytest.raises(ClassError, match=r"notes\.txt is no class: name another file\.$"):
        ClassStore(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_bytes() == content


@pytest.mark.parametrize("script", ["CREATE TABLE t (x)", "PRAGMA application_id = 5", "PRAGMA user_version = 5"])
def test_another_program_s_file_is_no_class_and_stays_as_it_is(tmp_path, script):
    foreign = sqlite3.connect(tmp_path / "other.db")
    foreign.executescript(script)
    foreign.close()
    content = (tmp_path / "other.db").read_bytes()
    with pytest.raises(ClassError, match=r"other\.db (is no class|was made by a later version)"):
        ClassStore(tmp_path / "other.db")
    assert (tmp_path / "other.db").read_bytes() == content


def test_a_folder_is_no_class(tmp_path):
    with pytest.raises(ClassError, match="is a folder: name a file"):
        ClassStore(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ClassError, match="file cannot be made"):
        ClassStore(tmp_path / "file" / "today.db")


def test_what_is_no_regular_file_is_no_class(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ClassError, match="pipe cannot be "):
        ClassStore(tmp_path / "pipe")


@pytest.mark.parametrize("n_bytes", [90, 5000, 12288])
def test_a_class_that_ends_too_early_is_reported(path, n_bytes):
    damaged(path, lambda content: content.__delitem__(slice(n_bytes, None)))
    with pytest.raises(ClassError, match=r"today\.db is (damaged|no class): name another file"):
        ClassStore(path)


def test_a_class_with_foreign_bytes_in_it_is_reported(path):
    damaged(path, lambda content: content.__setitem__(slice(4096, None), random.Random(0).randbytes(len(content))))
    with pytest.raises(ClassError, match=r"today\.db is damaged: name another file, or a copy of this one\.$"):
        ClassStore(path)


@pytest.mark.parametrize("page", range(1, 8))
def test_a_class_of_which_a_page_is_lost_is_reported(path, page):
    damaged(path, lambda content: content.__setitem__(slice(4096 * page, 4096 * (page + 1)), bytes(4096)))
    with pytest.raises(ClassError, match=r"today\.db is damaged: name another file"):
        ClassStore(path)


def test_a_drawing_that_was_changed_by_a_defect_is_reported(path):
    damaged(path, lambda content: content.__setitem__(content.rindex(b"strokes-00000007"), 0xFF))
    with pytest.raises(ClassError, match=r"today\.db is damaged: name another file, or a copy of this one\.$"):
        reopened(ClassStore(path))


def test_after_a_refusal_the_file_is_free(path, monkeypatch):
    ClassStore(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "MIGRATIONS", ())
        with pytest.raises(ClassError, match=r"today\.db was made by a later version of this app: use that"):
            ClassStore(path)
    ClassStore(path).close()


def test_a_file_of_an_earlier_version_is_migrated_and_keeps_its_drawings(path, monkeypatch):
    store = ClassStore(path)
    store.add([ONE, OTHER])
    store.close()
    later = (*MIGRATIONS, "CREATE TABLE notes (text TEXT);", "ALTER TABLE notes ADD COLUMN at REAL;")
    monkeypatch.setattr(store_module, "MIGRATIONS", later)
    for _ in range(2):  # the second time there is nothing to migrate
        store = ClassStore(path)
        assert store.sent() == [replace(ONE, number=1), replace(OTHER, number=2)]
        assert store._base.execute("PRAGMA user_version").fetchone() == (3,)
        assert store._base.execute("SELECT text, at FROM notes").fetchall() == []
        store.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    store = ClassStore(path)
    store.add([ONE])
    store.close()
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE notes (text TEXT); DROP TABLE absent;"))
        with pytest.raises(ClassError, match=r"today\.db cannot be used \(no such table: absent\)"):
            ClassStore(path)
    store = ClassStore(path)
    assert store.sent() == [replace(ONE, number=1)]
    assert store._base.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'notes'").fetchone() == (0,)
    assert store._base.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    store.close()


def test_a_file_that_was_deleted_meanwhile_takes_nothing_more(store, path):
    store.add([ONE])
    shutil.rmtree(path.parent)
    with pytest.raises(ClassError, match=r"today\.db is no longer there: put it back, or start a new class"):
        store.add([OTHER])
    assert store.sent() == [replace(ONE, number=1)]


def test_a_class_that_was_closed_says_so(store):
    store.close()
    for act in (store.sent, store.switches, lambda: store.add([ONE])):
        with pytest.raises(ClassError, match=r"today\.db cannot be used"):
            act()
