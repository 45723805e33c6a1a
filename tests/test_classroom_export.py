import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from autoencoder.classroom.export import COLUMNS, from_csv, to_csv, to_npz, to_png
from autoencoder.classroom.room import Wall
from autoencoder.classroom.score import WINDOW, curves, score
from autoencoder.classroom.store import ClassError, Sent
from autoencoder.data import NO_DIGIT, UNLABELED, DataError
from autoencoder.gallery.sources import open_source
from autoencoder.query.growing import Growing
from autoencoder.query.question import Drawing

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00+00:00
DRAWINGS = [Drawing.of([np.array([[20, 20 + step], [200, 220]])]) for step in range(3)]
SENT = [
    Sent(DRAWINGS[0].to_text(), 3, NOON, 7, 4, 3, True, 3, number=1),
    Sent(DRAWINGS[1].to_text(), 8, NOON + 2, 8, 0, 1, False, NO_DIGIT, number=2),
    Sent(DRAWINGS[2].to_text(), NO_DIGIT, NOON + 4, 7, 0, 0, False, None, number=5),
]
TABLE = f"""\
number,time,digit,found,right_alone,right_learned,taken_for,drawing
1,2026-01-01T12:00:00+00:00,3,1,4,3,3,{DRAWINGS[0].to_text()}
2,2026-01-01T12:00:02+00:00,8,0,0,1,no digit,{DRAWINGS[1].to_text()}
5,2026-01-01T12:00:04+00:00,no digit,0,0,0,,{DRAWINGS[2].to_text()}
"""


def wall_of(sent):
    """The wall of drawings, the i-th of which shows i + 1 in all pixels."""
    n = len(sent)
    growing, images = Growing(), np.ones((n, 28, 28), np.uint8) * np.arange(1, n + 1, dtype=np.uint8)[:, None, None]
    growing.add(images, np.array([one.digit for one in sent], np.uint8), np.zeros((n, 32), np.float32))
    places = {one.drawing: index for index, one in enumerate(sent)}
    return Wall(1, tuple(sent), growing.added, places, learns=True, is_frozen=False, n_hidden=0)


def judged(digit, *, found, taken_for=None, alone=0, learned=0):
    return Sent("", digit, NOON, 7, alone, learned, found, taken_for)


def test_a_table_has_a_line_a_drawing():
    assert to_csv(SENT) == TABLE
    assert to_csv([]) == TABLE.splitlines(keepends=True)[0]


def test_a_table_says_nothing_of_who_has_sent_a_drawing():
    assert "visit" not in COLUMNS
    assert to_csv([replace(one, visit=99) for one in SENT]) == TABLE


def test_a_table_gives_back_the_drawings_with_their_digits_and_times():
    expected = [(DRAWINGS[0], 3, NOON), (DRAWINGS[1], 8, NOON + 2), (DRAWINGS[2], NO_DIGIT, NOON + 4)]
    assert from_csv(to_csv(SENT).encode()) == expected
    assert from_csv(to_csv([]).encode()) == []


def test_a_table_that_a_spreadsheet_has_saved_is_read():
    table = "\ufeff" + "".join(f"{line}\r\n" for line in TABLE.splitlines())
    assert from_csv(table.encode()) == from_csv(TABLE.encode())


def test_the_columns_may_come_in_any_order_and_with_others_among_them():
    table = f"note,drawing,digit,time\nhello,{DRAWINGS[0].to_text()},3,2026-01-01T12:00:00+00:00\n"
    assert from_csv(table.encode()) == [(DRAWINGS[0], 3, NOON)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column digit or drawing or time"),
        (b"number,digit,time\n1,3,2026-01-01\n", "has no column drawing"),
        (b"\x89PNG\r\n\x1a\n", "This is no table of a class"),
        (b"\xff\xfe\x00\x01", "This is no table of a class"),
        (b"PK\x03\x04" * 100, "This is no table of a class"),
        (b"digit,drawing,time\n3," + b"x" * 200_000 + b",2026-01-01\n", "This is no table of a class"),
    ],
)
def test_what_is_no_table_of_a_class_is_refused(content, message):
    with pytest.raises(ClassError, match=message):
        from_csv(content)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (",8,", ",10,"),
        (",8,", ",-1,"),
        (",8,", ",08,"),
        (",8,", ",²,"),
        (",8,", ",eight,"),
        (",8,", ",,"),
        ("2026-01-01T12:00:02+00:00", "yesterday"),
        ("2026-01-01T12:00:02+00:00", "0001-01-01T00:00:00"),
        (DRAWINGS[1].to_text(), "strokes-"),
        (DRAWINGS[1].to_text(), "mnist-7"),
        (DRAWINGS[1].to_text(), "strokes-0a0b1c1d" * 1000),
        (f",no digit,{DRAWINGS[1].to_text()}", ""),
    ],
)
def test_of_a_table_with_a_damaged_line_nothing_is_taken(said, instead):
    with pytest.raises(ClassError, match=r"^Line 3 of the table is damaged, so nothing was taken\.$"):
        from_csv(TABLE.replace(said, instead).encode())


def test_a_gallery_can_be_built_of_the_digits(tmp_path):
    (tmp_path / "class.npz").write_bytes(to_npz(wall_of(SENT)))
    source = open_source(tmp_path / "class.npz")
    assert len(source) == 3
    items = list(source.items())
    assert [item.label for item in items] == [3, 8, UNLABELED]
    for number, item in enumerate(items, 1):
        np.testing.assert_allclose(item.gray, np.full((28, 28), number / 255), rtol=1e-6)


def test_of_an_empty_wall_no_gallery_can_be_built(tmp_path):
    (tmp_path / "class.npz").write_bytes(to_npz(wall_of([])))
    with pytest.raises(DataError, match=r"expected images .* received images"):
        open_source(tmp_path / "class.npz")


@pytest.mark.parametrize(("n", "n_rows"), [(0, 1), (1, 1), (15, 1), (16, 2)])
def test_the_wall_is_a_picture_however_much_is_on_it(n, n_rows):
    picture = Image.open(io.BytesIO(to_png(wall_of([replace(SENT[0], number=number) for number in range(n)]))))
    picture.load()
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    assert picture.size == (15 * 68 + 12, n_rows * 88 + 12)


def test_the_picture_shows_each_drawing_and_marks_what_was_missed_otherwise_than_by_color():
    found, missed = (
        np.asarray(Image.open(io.BytesIO(to_png(wall_of([replace(SENT[0], found=found)]))))) for found in (True, False)
    )
    for picture in (found, missed):
        assert (picture[12:68, 12:68] == 1).all()
        assert (picture[:12] == 255).all()
    below = slice(69, 88), slice(0, 80)
    assert (missed[below] < 128).sum() > 2 * (found[below] < 128).sum() > 0
    assert (missed[:, 80:] == 255).all()  # it does not reach into the next one


def test_the_picture_s_captions_have_only_letters_that_the_font_has(monkeypatch):
    written = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda self, at, text, fill, font: written.append((text, font)))
    to_png(wall_of([*SENT, replace(SENT[2], found=True)]))
    assert len(written) == 4
    for text, font in written:
        missing = bytes(font.getmask("\U0010fffe"))
        assert [letter for letter in text if bytes(font.getmask(letter)) == missing] == []


def test_the_score_counts_what_was_found_by_digit_and_what_was_taken_for_which():
    sent = [
        judged(3, found=True, taken_for=3),
        judged(3, found=False, taken_for=8),
        judged(3, found=False, taken_for=5),
        judged(3, found=False, taken_for=8),
        judged(1, found=False, taken_for=7),
        judged(1, found=False, taken_for=1),  # most of its look-alikes were right, and too few
        judged(1, found=False, taken_for=None),
        judged(0, found=True, taken_for=6),
        judged(NO_DIGIT, found=False, taken_for=4),
        judged(NO_DIGIT, found=True, taken_for=4),
    ]
    all_of_them = score(sent)
    assert (all_of_them.found, all_of_them.many) == (3, 10)
    assert list(all_of_them.by_digit.items()) == [(0, (1, 1)), (1, (0, 3)), (3, (1, 4)), (NO_DIGIT, (1, 2))]
    assert all_of_them.mistaken == ((3, 8, 2), (1, 7, 1), (3, 5, 1), (NO_DIGIT, 4, 1))


def test_of_nothing_the_score_is_nothing():
    nothing = score([])
    assert (nothing.found, nothing.many, nothing.by_digit, nothing.mistaken) == (0, 0, {}, ())
    assert [share.tolist() for share in curves([])] == [[], []]


def test_the_curves_are_the_means_until_each_digit_and_leave_out_what_is_none():
    sent = [
        judged(3, found=True, alone=4, learned=4),
        judged(NO_DIGIT, found=False, alone=0, learned=0),
        judged(3, found=False, alone=0, learned=2),
        judged(5, found=False, alone=2, learned=3),
    ]
    alone, learned = curves(sent)
    assert alone.tolist() == [1, 0.5, 0.5]
    assert learned.tolist() == [1, 0.75, 0.75]
    assert [share.tolist() for share in curves(sent[1:2])] == [[], []]


def test_the_curves_look_back_on_the_last_hundred():
    assert WINDOW == 100
    sent = [judged(3, found=False, alone=4 * (number < 100), learned=number % 5) for number in range(150)]
    alone, learned = curves(sent)
    assert alone[[0, 99, 100, 124, 149]].tolist() == [1, 1, 0.99, 0.75, 0.5]
    assert learned[[99, 149]].tolist() == [0.5, 0.5]
    assert len(alone) == len(learned) == 150
