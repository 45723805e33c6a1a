"""From a picture's file to gray, and to a digit.

Pillow reads the files. Some are made to take seconds or minutes of it: those are refused by their structure first.
"""

import io
import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from autoencoder.ink.preprocess import NoDigitError, digit_from_gray

IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")  # of all that Pillow could try
# More is refused by the header, since decoding it would take too long. JPEG decodes straight to a smaller size.
MAX_JPEG_PIXELS, MAX_OTHER_PIXELS = 24_000_000, 8_300_000  # a photo, and a 4K screen
MAX_PNG_CHUNKS, MAX_JPEG_SEGMENTS, MAX_JPEG_SCANS = 10_000, 1000, 100
MAX_SCANNED_PIXELS = 300_000_000  # of all scans of a JPEG: 12 of the largest; progressive photos have about 10
PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # not a byte of the scan itself, nor a restart within it
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_LENGTH = {0x01, 0xC8, 0xD8, 0xD9, *range(0xF0, 0xFE)}  # Pillow looks at once for the next marker
WORKING_SIDE_PX = 400  # larger pictures are first reduced to this: faster, and it averages the noise away

UNREADABLE = "This is not a picture that can be read: choose a PNG, JPEG, WebP or BMP file."
TOO_LARGE = (
    f"This picture is too large: choose one of at most {MAX_OTHER_PIXELS / 1e6:g} megapixels, "
    f"or a JPEG of at most {MAX_JPEG_PIXELS / 1e6:g}."
)
TOO_SLOW = "This picture would take too long to read: save it again as a PNG or JPEG."


def digit_from_image(data: bytes) -> NDArray[np.float32]:
    """The digit in an image file: light on dark or dark on light, photo or scan.

    Args:
        data: a PNG, JPEG, WebP or BMP file.

    Returns:
        (28, 28) in [0, 1], ink bright.

    Raises:
        NoDigitError: the bytes are no readable image, it is too large, or nothing stands out in it.
    """
    return digit_from_gray(read_gray(data))


def read_gray(data: bytes) -> NDArray[np.float32]:
    """An image file's first frame in gray, upright, transparent parts as paper.

    Args:
        data: a PNG, JPEG, WebP or BMP file.

    Returns:
        (h, w) in [0, 1], the longer side at most 400.

    Raises:
        NoDigitError: the bytes are no readable image, or it is too large, or would take too long to read.
    """
    n_segments, n_scans = _count_jpeg(data) if data.startswith(JPEG_START) else (0, 1)
    n_chunks = _count_png(data) if data.startswith(PNG_START) else 0
    if n_segments > MAX_JPEG_SEGMENTS or n_scans > MAX_JPEG_SCANS or n_chunks > MAX_PNG_CHUNKS:
        raise NoDigitError(TOO_SLOW)
    image = _open(data)
    has_run_lengths = any(tile.codec_name == "bmp_rle" for tile in image.tile)  # Pillow decodes them in Python
    if n_scans * image.width * image.height > MAX_SCANNED_PIXELS or has_run_lengths:
        raise NoDigitError(TOO_SLOW)
    try:
        image.draft("L", (WORKING_SIDE_PX, WORKING_SIDE_PX))
        ImageOps.exif_transpose(image, in_place=True)
        return _to_gray(image)
    except Exception:
        raise NoDigitError(UNREADABLE) from None


def _open(data: bytes) -> ImageFile.ImageFile:
    """An image whose header has been read, and no more; raises NoDigitError if it is unreadable or too large."""
    try:
        image = Image.open(io.BytesIO(data), formats=IMAGE_FORMATS)
    except Image.DecompressionBombError:
        raise NoDigitError(TOO_LARGE) from None
    except Exception:  # Pillow's readers raise whatever their format's parser trips over
        raise NoDigitError(UNREADABLE) from None
    # Some phones take JPEGs that hold more than one picture: Pillow calls these MPO.
    most = MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_OTHER_PIXELS
    if image.width * image.height > most:
        raise NoDigitError(TOO_LARGE)
    return image


def _count_jpeg(data: bytes) -> tuple[int, int]:
    """The numbers of segments and of scans in a JPEG file's first picture; it stops counting beyond what is allowed.

    A segment is a marker (0xff and its kind), the length of the rest, and the rest. A scan is a segment, too, and has
    bytes of its own after it. Other bytes between segments count as one each, since Pillow skips them one by one.
    Source: ITU-T T.81, annex B.
    """
    place, n_segments, n_scans, in_scan = len(JPEG_START), 0, 0, False
    while n_segments <= MAX_JPEG_SEGMENTS and n_scans <= MAX_JPEG_SCANS:
        found = JPEG_MARKER.search(data, place)
        start, kind = (found.start(), found[0][1]) if found else (len(data), END_OF_IMAGE)
        if not in_scan:
            n_segments += start - place
        if not found or (kind == END_OF_IMAGE and n_scans):
            break
        n_segments += 1
        in_scan = kind == START_OF_SCAN
        if in_scan:
            n_scans += 1
        length = 0 if kind in WITHOUT_LENGTH else int.from_bytes(data[found.end() : found.end() + 2])
        place = found.end() + length
    return n_segments, n_scans


def _count_png(data: bytes) -> int:
    """The number of chunks in a PNG file; it stops counting beyond what is allowed.

    A chunk is a length, a name, so many bytes, and a checksum.
    """
    place, n_chunks = len(PNG_START), 0
    while place < len(data) and n_chunks <= MAX_PNG_CHUNKS:
        place += 12 + int.from_bytes(data[place : place + 4])
        n_chunks += 1
    return n_chunks


def _to_gray(image: Image.Image) -> NDArray[np.float32]:
    """Gray (h, w) in [0, 1] of an image of any mode, its longer side at most WORKING_SIDE_PX."""
    if image.mode.startswith("I"):  # 16 bit: Pillow's own conversion would clip
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.has_transparency_data:
        return _on_paper(image if image.mode == "RGBA" else image.convert("RGBA"))
    image = image.convert("L")
    image.thumbnail((WORKING_SIDE_PX, WORKING_SIDE_PX))
    return np.asarray(image, np.float32) / 255.0


def _on_paper(image: Image.Image) -> NDArray[np.float32]:
    """Gray (h, w) in [0, 1] of an RGBA image: its transparent parts are black where its ink is bright, else white."""
    image.thumbnail((WORKING_SIDE_PX, WORKING_SIDE_PX))
    gray, alpha = (np.asarray(band, np.float32) / 255.0 for band in (image.convert("L"), image.getchannel("A")))
    ink_is_bright = (gray * alpha).sum() > alpha.sum() / 2
    paper = 0.0 if ink_is_bright else 1.0
    return gray * alpha + paper * (1 - alpha)
