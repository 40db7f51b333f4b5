"""Marks: how a file says that symprop wrote it, and that nobody has changed it since.

In: text, or the bytes of an npz, png or pdf file. Out: the same with a mark that carries a hash
of all the rest, and the test of such a mark. Every format takes it in a place of its own that
readers skip: a comment line on top, the comment of a zip archive, a text chunk, a comment after
the end of a pdf.
"""

import hashlib
import re
import struct
import zlib

SIGN = "symprop sha256:"
DIGITS = 32
COMMENTS = {"# ": "", "% ": "", "%% ": "", "// ": "", "<!-- ": " -->"}
COMMENT_OF = {".tex": "% ", ".md": "<!-- ", ".html": "<!-- "}
FIRST_LINE = re.compile(
    rb"(?:# |%%? |// |<!-- )symprop (?:(\d[\w.]*) )?sha256:([0-9a-f]{32})(?: -->)?\n")
LENGTH = len(SIGN) + DIGITS

ZIP, PNG, PDF = b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"%PDF-"
ZIP_END = b"PK\x05\x06"
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
PNG_KEY = b"Comment\x00"


def stamp(text: str, comment: str = "# ", version: str = "") -> str:
    """Return `text` under a first line that carries the hash of the rest.

    `comment` opens a comment: "# ", "% ", "%% ", "// " or "<!-- ". `version` is that of symprop. A
    stamp that is already there is renewed.

    >>> stamp("x = 1").splitlines()[1:]
    ['x = 1']
    """
    opening = "<!-- " if comment.startswith("<!--") else comment
    if opening not in COMMENTS:
        raise ValueError(f"{comment!r} opens no known comment")
    body = _lines(text.encode("utf-8"))
    body = body[_first(body) :]
    sign = _sign(body)
    if version:
        sign = sign.replace("symprop ", f"symprop {version} ", 1)
    return f"{opening}{sign}{COMMENTS[opening]}\n" + body.decode("utf-8")


def unstamped(text: str) -> str:
    """Return `text` without the line of its stamp, with Unix line ends."""
    body = _lines(text.encode("utf-8"))
    return body[_first(body):].decode("utf-8")


def version_in(data: bytes) -> str:
    """Return the version of symprop that wrote a text file; "" where its mark says none.

    >>> version_in(stamp("x = 1", version="0.2.0").encode())
    '0.2.0'
    """
    found = FIRST_LINE.match(data.replace(b"\r\n", b"\n"))
    return found[1].decode() if found and found[1] else ""


def is_stamped(text: str) -> bool:
    """True where the first line of `text` is a stamp and its hash is right."""
    return read_mark(text.encode("utf-8")) == "ours"


def mark(data: bytes) -> bytes:
    """Return the bytes of an npz, png or pdf file with the mark in them.

    ValueError for any other kind of file.
    """
    sign = _sign(data).encode()
    if data.startswith(ZIP) and data[-22:].startswith(ZIP_END):
        return data[:-2] + struct.pack("<H", len(sign)) + sign
    if data.startswith(PNG) and data.endswith(PNG_END):
        return data[: -len(PNG_END)] + _png_chunk(sign) + PNG_END
    if data.startswith(PDF):
        return data + b"%" + sign + b"\n"
    raise ValueError("only npz, png and pdf files carry a mark")


def read_mark(data: bytes) -> str:
    """Return "ours", "edited" (there is a mark, but the rest has changed) or "foreign"."""
    found = _split_binary(data) if data.startswith((ZIP, PNG, PDF)) else _split_text(data)
    if found is None:
        return "foreign"
    body, sign = found
    return "ours" if sign.decode("ascii", "replace") == _sign(body) else "edited"


def _split_text(data: bytes) -> tuple[bytes, bytes] | None:
    # A checkout with CRLF line ends is no edit.
    data = data.replace(b"\r\n", b"\n")
    match = FIRST_LINE.match(data)
    return (data[match.end() :], SIGN.encode() + match[2]) if match else None


def _split_binary(data: bytes) -> tuple[bytes, bytes] | None:
    """Take the mark out again: what remains, and the mark."""
    if data.startswith(ZIP):
        body, sign = data[: -LENGTH - 2] + b"\x00\x00", data[-LENGTH:]
    elif data.startswith(PNG):
        tail = len(PNG_END) + len(_png_chunk(b"\x00" * LENGTH))
        body = data[:-tail] + PNG_END
        sign = data[-len(PNG_END) - 4 - LENGTH : -len(PNG_END) - 4]
    else:
        body, sign = data[: -LENGTH - 2], data[-LENGTH - 1 : -1]
    return (body, sign) if sign.startswith(SIGN.encode()) else None


def _png_chunk(sign: bytes) -> bytes:
    content = b"tEXt" + PNG_KEY + sign
    length = struct.pack(">I", len(content) - 4)
    return length + content + struct.pack(">I", zlib.crc32(content))


def _sign(body: bytes) -> str:
    return SIGN + hashlib.sha256(body).hexdigest()[:DIGITS]


def _lines(body: bytes) -> bytes:
    """Unix line ends, and one at the end."""
    body = body.replace(b"\r\n", b"\n")
    return body if not body or body.endswith(b"\n") else body + b"\n"


def _first(body: bytes) -> int:
    """Where the text begins after a stamp, if there is one."""
    match = FIRST_LINE.match(body)
    return match.end() if match else 0
