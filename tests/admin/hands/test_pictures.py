"""The pictures of the documentation: packed, not changed, and all of them there."""

import struct
import zlib

from tests.test_docs import LINK
from tools.screenshots import DOCUMENTS, LARGEST, PICTURES, ROOT, SHOTS, _chunk, smaller


def chunks(picture: bytes) -> dict[bytes, bytes]:
    """Kind -> contents, those of the same kind together."""
    found: dict[bytes, bytes] = {}
    place = 8
    while place < len(picture):
        (length,) = struct.unpack(">I", picture[place : place + 4])
        kind = picture[place + 4 : place + 8]
        found[kind] = found.get(kind, b"") + picture[place + 8 : place + 8 + length]
        place += length + 12
    return found


class TestSmaller:
    def test_the_pixels_stay_and_the_rest_goes(self) -> None:
        pixels, head = b"\0" + b"abc" * 3_000, struct.pack(">IIBBBBB", 3_000, 1, 8, 2, 0, 0, 0)
        loose = zlib.compress(pixels, 0)
        given = b"\x89PNG\r\n\x1a\n" + b"".join(
            _chunk(kind, content)
            for kind, content in (
                (b"IHDR", head), (b"tEXt", b"made by"), (b"IDAT", loose[:99]),
                (b"IDAT", loose[99:]), (b"IEND", b""),
            )
        )  # fmt: skip
        packed = smaller(given)

        assert set(chunks(packed)) == {b"IHDR", b"IDAT", b"IEND"}
        assert (chunks(packed)[b"IHDR"], zlib.decompress(chunks(packed)[b"IDAT"])) == (head, pixels)
        assert len(packed) < len(given) / 10


class TestPictures:
    def test_those_that_are_there_are_shown_and_small(self) -> None:
        there = {path.stem for path in PICTURES.glob("*.png")}
        shown = {
            target.rpartition("/")[2].removesuffix(".png")
            for name in DOCUMENTS for target in LINK.findall((ROOT / name).read_text())
            if target.endswith(".png")
        }  # fmt: skip

        assert shown == there <= {shot.file for shot in SHOTS}
        assert max(path.stat().st_size for path in PICTURES.glob("*.png")) <= LARGEST
