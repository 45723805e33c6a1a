import io
import zlib

import numpy as np
import pytest
from PIL import Image

from autoencoder.preprocess import (
    MAX_MEAN_INK,
    MAX_OTHER_PIXELS,
    NoDigitError,
    digit_from_image,
    digit_from_strokes,
    ink_from_gray,
    normalize_ink,
    shrink_strokes,
)
from autoencoder.strokes import scale_to_canvas


def encoded(image, file_format="PNG", **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def as_bytes(digit):
    return np.round(digit * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def seven(gallery):
    """A real digit, as uint8 (28, 28)."""
    return as_bytes(gallery.images[np.flatnonzero(gallery.labels == 7)[0]])


def test_ink_is_cropped_scaled_to_20_pixels_and_centred_by_mass():
    ink = np.zeros((100, 100), np.float32)
    ink[10:50, 60:70] = 1  # 40 x 10: halved it is 20 x 5
    digit = normalize_ink(ink)
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    assert (len(rows), len(columns)) == (20, 5)
    assert digit.sum() == pytest.approx(100, rel=0.02)
    # A 20 x 5 bar has its centre of mass at (9.5, 2), rounded to (10, 2): put on (14, 14).
    assert (rows[0], columns[0]) == (4, 12)


def test_a_heavy_end_is_nearer_the_centre_than_the_light_one():
    ink = np.zeros((20, 20), np.float32)
    ink[:, 8:12] = 1
    ink[:4, 4:16] = 1  # a T: 48 pixels at row 1.5 and 64 at row 11.5, so its mass is at row 7.2
    digit = normalize_ink(ink)
    assert np.flatnonzero(digit.any(axis=1))[0] == 14 - 7


def test_a_digit_of_the_gallery_passes_unchanged(gallery):
    changes = [np.abs(normalize_ink(digit) - digit).mean() for digit in gallery.images[:500]]
    assert np.mean(changes) < 0.001


def test_preparation_changes_nothing_in_its_argument():
    ink = np.zeros((40, 40), np.float32)
    ink[5:30, 10:14] = 0.5
    before = ink.copy()
    normalize_ink(ink)
    assert np.array_equal(ink, before)


def test_size_and_place_of_a_drawing_do_not_matter(drawings):
    strokes = [np.array(stroke, float) for stroke in drawings[3][0]]
    moved = [stroke * 0.31 + [100, 7] for stroke in strokes]
    assert np.abs(digit_from_strokes(strokes) - digit_from_strokes(moved)).max() < 0.2
    assert np.abs(digit_from_strokes(strokes) - digit_from_strokes(moved)).mean() < 0.002


def test_a_drawn_line_is_as_wide_as_a_pen_of_mnist():
    digit = digit_from_strokes([[(0, 0), (0, 100)]])
    assert digit[14].sum() == pytest.approx(2.1, abs=0.3)
    assert len(np.flatnonzero(digit.any(axis=1))) == 20


def test_y_points_down():
    digit = digit_from_strokes([[(0, 0), (50, 0)], [(25, 0), (25, 50)]])  # a T
    rows = digit.sum(axis=1)
    top = np.flatnonzero(rows)[0]
    assert rows[top : top + 3].sum() > 3 * rows[top + 10 : top + 13].sum()


@pytest.mark.parametrize("strokes", [[], [[]]])
def test_no_strokes_are_a_blank_canvas(strokes):
    with pytest.raises(NoDigitError, match="blank"):
        digit_from_strokes(strokes)


def test_a_stroke_no_larger_than_a_dot_is_a_dot():
    with pytest.raises(NoDigitError, match="only a dot"):
        digit_from_strokes([[(5, 5)]])
    with pytest.raises(NoDigitError, match="only a dot"):
        digit_from_strokes([[(5, 5), (9, 9)]], dot_size=10)


def test_a_scribble_is_refused():
    zigzag = [(x, y) for y in range(0, 200, 4) for x in (0, 200)]
    with pytest.raises(NoDigitError, match="more ink"):
        digit_from_strokes([zigzag])


def test_no_ink_is_refused():
    with pytest.raises(NoDigitError, match="no ink"):
        normalize_ink(np.zeros((28, 28), np.float32))


def test_strokes_that_are_not_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        digit_from_strokes([[(0, 0), (np.nan, 1)]])


def test_polarity_is_found_from_the_border(seven):
    bright = digit_from_image(encoded(Image.fromarray(seven)))
    dark = digit_from_image(encoded(Image.fromarray(255 - seven)))
    np.testing.assert_allclose(bright, seven / 255, atol=0.01)
    np.testing.assert_allclose(dark, bright, atol=0.01)


def photo(digit, rng):
    """A JPEG of a digit as dark ink on grainy paper that is lit from one side."""
    large = np.asarray(Image.fromarray(digit).resize((280, 280)), np.float32)
    paper = 0.8 + 0.1 * np.linspace(0, 1, 280)[:, None] + rng.normal(0, 0.02, (280, 280))
    return encoded(Image.fromarray(as_bytes(np.clip(paper - 0.6 * large, 0, 1))), "JPEG", quality=90)


@pytest.mark.parametrize("darkest", [190, 150, 110])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_shadow_across_the_paper_does_not_matter(gallery, bundled, darkest, axis):
    light = np.linspace(215, darkest, 280)
    paper = np.broadcast_to(light[:, None] if axis == 0 else light, (280, 280))
    sevens = [digit for digits in (gallery, bundled) for digit in digits.images[digits.labels == 7][:6]]
    for seven in sevens:
        large = np.asarray(Image.fromarray(as_bytes(seven)).resize((280, 280)), np.float32) / 255
        shaded = digit_from_image(encoded(Image.fromarray((paper - large * (paper - 50)).astype(np.uint8))))
        even = digit_from_image(encoded(Image.fromarray((215 - 165 * large).astype(np.uint8))))
        assert difference_but_for_rounding(shaded, even) < 0.03


def difference_but_for_rounding(digit, other):
    """The mean difference of two digits where a center of mass between two pixels may be put on either."""
    steps = (-1, 0, 1)
    return min(np.abs(np.roll(digit, (down, right), (0, 1)) - other).mean() for down in steps for right in steps)


def test_a_stroke_that_leaves_the_picture_does_not_tilt_the_paper(seven):
    digit = np.full((100, 100), 200, np.uint8)
    digit[:, 45:55] = 30  # a 1 from edge to edge
    ink = ink_from_gray(digit.astype(np.float32) / 255)
    assert ink[:, 47:53].min() > 0.99
    assert ink[:, :40].max() < 0.01


def test_photos_of_digits_find_their_kind(engine, gallery):
    rng = np.random.default_rng(0)
    hits = [
        neighbor.label == gallery.labels[index]
        for index in range(40)
        for neighbor in engine.search(digit_from_image(photo(gallery.images[index], rng)), exclude=index).neighbors
    ]
    assert np.mean(hits) > 0.9


MODES = {
    "CMYK": lambda image: image.convert("CMYK"),
    "RGB": lambda image: image.convert("RGB"),
    "1": lambda image: image.convert("1"),
    "P": lambda image: image.convert("P"),
    "LA": lambda image: image.convert("LA"),
    "I;16": lambda image: Image.fromarray(np.asarray(image, np.uint16) * 257),
}
FORMATS = {"CMYK": "JPEG"}


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_picture_gives_the_digit(mode, seven):
    picture = MODES[mode](Image.fromarray(seven).resize((112, 112), Image.Resampling.NEAREST))
    digit = digit_from_image(encoded(picture, FORMATS.get(mode, "PNG")))
    assert np.corrcoef(digit.ravel(), seven.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WebP", "BMP"])
def test_every_usual_format_is_read(file_format, seven):
    picture = Image.fromarray(seven).resize((112, 112), Image.Resampling.NEAREST)
    digit = digit_from_image(encoded(picture, file_format))
    assert np.corrcoef(digit.ravel(), seven.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("pen", [0, 255])
def test_transparency_is_paper_whatever_the_pen(pen, seven):
    rgba = np.full((28, 28, 4), pen, np.uint8)
    rgba[..., 3] = seven
    digit = digit_from_image(encoded(Image.fromarray(rgba)))
    np.testing.assert_allclose(digit, seven / 255, atol=0.01)


def test_a_picture_turned_by_its_exif_is_upright(seven):
    picture = Image.fromarray(seven).rotate(90)
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned by 270 degrees
    digit = digit_from_image(encoded(picture, exif=exif))
    np.testing.assert_allclose(digit, seven / 255, atol=0.01)


@pytest.mark.parametrize("file_format", ["PNG", "WebP"])
def test_of_an_animation_the_first_frame_counts(file_format, seven):
    blank = Image.new("L", (28, 28))
    data = encoded(Image.fromarray(seven), file_format, save_all=True, append_images=[blank], lossless=True)
    np.testing.assert_allclose(digit_from_image(data), seven / 255, atol=0.02)


def test_formats_that_nobody_photographs_in_are_refused(seven):
    for file_format in ("GIF", "TIFF", "EPS"):
        with pytest.raises(NoDigitError, match="not a picture"):
            digit_from_image(encoded(Image.fromarray(seven), file_format))


def test_the_fattest_digit_of_mnist_is_no_scribble(gallery):
    assert gallery.images.mean(axis=(1, 2)).max() < MAX_MEAN_INK


def test_truncated_bytes_are_refused(seven):
    for file_format in ("PNG", "JPEG", "WebP", "BMP"):
        data = encoded(Image.fromarray(seven).resize((280, 280)), file_format)
        with pytest.raises(NoDigitError, match="not a picture"):
            digit_from_image(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"plain text", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(NoDigitError, match="not a picture"):
        digit_from_image(data)


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_a_huge_picture_is_refused_by_its_header(side):
    assert side**2 > MAX_OTHER_PIXELS
    header = encoded(Image.new("1", (8, 8)))
    huge = header[:16] + side.to_bytes(4) * 2 + header[24:]
    huge = huge[:29] + zlib.crc32(huge[12:29]).to_bytes(4) + huge[33:]
    with pytest.raises(NoDigitError, match="too large"):
        digit_from_image(huge)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (64, 64)])
def test_a_picture_of_one_colour_is_refused(size):
    with pytest.raises(NoDigitError, match="Nothing stands out"):
        digit_from_image(encoded(Image.new("L", size, 90)))


def test_what_varies_on_the_border_is_paper():
    # Evenly from 0.78 to 0.82, so half of it is within 0.01 of the middle: the grain is 4 · 1.4826 · 0.01 = 0.059.
    gray = np.random.default_rng(0).permutation(np.linspace(0.78, 0.82, 10_000)).reshape(100, 100)
    gray[40:60, 40:60] = 0.1
    gray[70, 70], gray[80, 80] = 0.76, 0.7
    ink = ink_from_gray(gray)
    assert ink[40, 40] > 0.99
    assert ink[70, 70] == 0
    assert ink[80, 80] == pytest.approx((0.1 - 0.059) / (0.7 - 0.059), abs=0.02)


def test_a_stroke_that_touches_the_border_is_ink():
    gray = np.full((10, 10), 0.9)
    gray[:, 4:6] = 0.0
    ink = ink_from_gray(gray)
    assert ink[:, 4:6].min() == 1
    assert ink.sum() == 20


def test_only_shrunk_a_drawing_stays_where_and_as_large_as_it_is():
    digit = shrink_strokes([[(60, 50), (60, 90)]], canvas_px=280, brush_px=20)
    # In tens of canvas pixels: from y = 50 - 10 to 90 + 10, and from x = 60 - 10 to 60 + 10.
    assert digit[4:10, 5:7].sum() > 0.9 * digit.sum()
    assert digit[5:9, 5:7].min() > 0.85  # Pillow fills an edge pixel or not


def test_strokes_beside_the_canvas_are_no_digit():
    with pytest.raises(NoDigitError):
        shrink_strokes([[(300, 300), (320, 400)]], canvas_px=280, brush_px=18)


def test_a_digit_has_256_levels(drawings):
    strokes = scale_to_canvas([np.array(stroke, float) for stroke in drawings[3][0]], 170)
    for digit in (digit_from_strokes(strokes), shrink_strokes(strokes, canvas_px=280, brush_px=18)):
        np.testing.assert_array_equal(np.round(digit * 255).astype(np.float32) / 255, digit)
