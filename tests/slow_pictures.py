"""Pictures that are made to take seconds or minutes to read."""

import io
import struct
import zlib

from PIL import Image


def encoded(image, file_format="PNG", **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def jpeg_of_segments(n, *, before=b"", **options):
    """A JPEG with so many empty APP1 segments, and other bytes before its own."""
    start, rest = b"\xff\xd8", encoded(Image.new("L", (8, 8)), "JPEG", **options)[2:]
    return start + b"\xff\xe1\0\2" * n + before + rest


def jpeg_of_scans(n, size):
    """A progressive JPEG whose last scan comes so many times."""
    data = encoded(Image.new("L", size, 200), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * n + data[-2:]


def png_of_chunks(n):
    """A PNG with so many chunks of text before its own."""
    data, text = encoded(Image.new("L", (8, 8))), b"tEXta\0b"
    end = 8 + 25  # of the header's chunk
    return data[:end] + (struct.pack(">I", 3) + text + struct.pack(">I", zlib.crc32(text))) * n + data[end:]


def bmp_of_runs(width, height):
    """A BMP of 8 bits that says that it is compressed by run lengths, and has only ends of lines."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 0, 0, 0, 256, 0)
    palette = b"".join(bytes([gray, gray, gray, 0]) for gray in range(256))
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(palette)) + header + palette + b"\0\0" * height + b"\0\1"


SLOW = {
    "empty segments": lambda: jpeg_of_segments(1_200_000),
    "bytes between segments": lambda: jpeg_of_segments(1, before=b"\xff" * 5_000_000),
    "zeros between segments": lambda: jpeg_of_segments(1, before=b"\xff\0" * 2_500_000),
    "segments after an end": lambda: b"\xff\xd8\xff\xd9" + b"\xff\xe1\0\2" * 1_200_000,
    "segments in one without a length": lambda: b"\xff\xd8\xff\xf0\xff\xff" + b"\xff\xe1\0\2" * 1_200_000,
    "empty scans": lambda: jpeg_of_scans(3000, (64, 64)),
    "scans of many pixels": lambda: jpeg_of_scans(50, (6000, 4000)),
    "chunks": lambda: png_of_chunks(200_000),
    "run lengths": lambda: bmp_of_runs(2800, 2900),
}
