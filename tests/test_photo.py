"""From a picture's file to a digit."""

import zlib

import numpy as np
import pytest
from PIL import Image
from slow_pictures import SLOW, encoded

from autoencoder.ink.photo import MAX_OTHER_PIXELS, digit_from_image
from autoencoder.ink.preprocess import NoDigitError, to_bytes


@pytest.fixture(scope="module")
def seven(gallery):
    """A real digit, as uint8 (28, 28)."""
    return to_bytes(gallery.images[np.flatnonzero(gallery.labels == 7)[0]])


def test_polarity_is_found_from_the_border(seven):
    bright = digit_from_image(encoded(Image.fromarray(seven)))
    dark = digit_from_image(encoded(Image.fromarray(255 - seven)))
    np.testing.assert_allclose(bright, seven / 255, atol=0.01)
    np.testing.assert_allclose(dark, bright, atol=0.01)


def photo(digit, rng):
    """A JPEG of a digit as dark ink on grainy paper that is lit from one side."""
    large = np.asarray(Image.fromarray(digit).resize((280, 280)), np.float32)
    paper = 0.8 + 0.1 * np.linspace(0, 1, 280)[:, None] + rng.normal(0, 0.02, (280, 280))
    return encoded(Image.fromarray(to_bytes(np.clip(paper - 0.6 * large, 0, 1))), "JPEG", quality=90)


@pytest.mark.parametrize("darkest", [190, 150, 110])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_shadow_across_the_paper_does_not_matter(gallery, bundled, darkest, axis):
    light = np.linspace(215, darkest, 280)
    paper = np.broadcast_to(light[:, None] if axis == 0 else light, (280, 280))
    sevens = [digit for digits in (gallery, bundled) for digit in digits.images[digits.labels == 7][:6]]
    for seven in sevens:
        large = np.asarray(Image.fromarray(to_bytes(seven)).resize((280, 280)), np.float32) / 255
        shaded = digit_from_image(encoded(Image.fromarray((paper - large * (paper - 50)).astype(np.uint8))))
        even = digit_from_image(encoded(Image.fromarray((215 - 165 * large).astype(np.uint8))))
        assert difference_but_for_rounding(shaded, even) < 0.03


def difference_but_for_rounding(digit, other):
    """The mean difference of two digits where a center of mass between two pixels may be put on either."""
    steps = (-1, 0, 1)
    return min(np.abs(np.roll(digit, (down, right), (0, 1)) - other).mean() for down in steps for right in steps)


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
def test_a_picture_of_one_color_is_refused(size):
    with pytest.raises(NoDigitError, match="Nothing stands out"):
        digit_from_image(encoded(Image.new("L", size, 90)))


@pytest.mark.parametrize("kind", SLOW)
def test_a_picture_made_to_take_long_is_refused(kind):
    with pytest.raises(NoDigitError, match="too long to read"):
        digit_from_image(SLOW[kind]())


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"progressive": True, "comment": b"a comment"}])
def test_a_picture_of_usual_structure_is_not_taken_for_such(options, seven):
    large = Image.fromarray(255 - seven).resize((3000, 4000)).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "\xff\xda" * 9000  # bytes that look like scans' markers
    assert digit_from_image(encoded(large, "JPEG", exif=exif, **options)).shape == (28, 28)
    two = encoded(large, "MPO", save_all=True, append_images=[large.resize((300, 400))])
    assert digit_from_image(two).shape == (28, 28)
