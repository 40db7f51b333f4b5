"""Marks: every format carries one, readers do not mind, and every change shows."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symprop.files.marks import is_stamped, mark, read_mark, stamp, unstamped, version_in

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def png() -> bytes:
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(buffer, format="png")
    return buffer.getvalue()


PDF = b"%PDF-1.5\n1 0 obj\nendobj\ntrailer\nstartxref\n9\n%%EOF\n"
BINARY = {"npz": npz(a=np.arange(3)), "png": png(), "pdf": PDF}


@given(st.text(alphabet=st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_a_stamped_text_is_ours_and_its_body_is_untouched(text: str) -> None:
    stamped = stamp(text)
    body = stamped.partition("\n")[2]
    assert is_stamped(stamped)
    assert is_stamped(text) or body == (text if not text or text.endswith("\n") else text + "\n")


@given(st.text(min_size=1), st.integers(0, 200))
def test_one_changed_character_makes_it_edited(text: str, place: int) -> None:
    stamped = stamp(text)
    place = len(stamped) - 1 - place % len(stamped.partition("\n")[2])
    changed = stamped[:place] + ("x" if stamped[place] != "x" else "y") + stamped[place + 1 :]
    assert read_mark(changed.encode("utf-8", "surrogatepass")) == "edited"


@pytest.mark.parametrize("comment", ["# ", "% ", "%% ", "// ", "<!-- -->", "<!-- "])
def test_the_stamp_is_a_comment_and_a_second_one_replaces_it(comment: str) -> None:
    once = stamp("body\n", comment)
    first = once.splitlines()[0]
    assert first.startswith(comment[:4].rstrip()) and len(first) <= 88
    assert first.endswith("-->") == comment.startswith("<")
    assert stamp(once, comment) == once
    assert stamp(once + "more\n", comment).count("sha256") == 1


def test_a_checkout_with_windows_line_ends_is_no_edit() -> None:
    assert read_mark(stamp("a\nb\n").replace("\n", "\r\n").encode()) == "ours"


def test_an_unknown_comment_is_refused() -> None:
    with pytest.raises(ValueError, match="opens no known comment"):
        stamp("body", ";; ")


@pytest.mark.parametrize("kind", BINARY)
def test_binary_files_carry_a_mark_and_every_changed_byte_shows(kind: str) -> None:
    marked = mark(BINARY[kind])
    assert read_mark(BINARY[kind]) == "foreign"
    assert read_mark(marked) == "ours"
    assert mark(BINARY[kind]) == marked
    for place in (9, len(BINARY[kind]) // 2):
        changed = marked[:place] + bytes([marked[place] ^ 1]) + marked[place + 1 :]
        assert read_mark(changed) == "edited"
    assert read_mark(marked[: len(marked) // 2]) == "foreign"


def test_numpy_reads_a_marked_npz() -> None:
    with np.load(io.BytesIO(mark(npz(W=np.eye(2), b=np.ones(3))))) as file:
        assert np.array_equal(file["W"], np.eye(2)) and np.array_equal(file["b"], np.ones(3))


def test_a_zip_comment_of_somebody_else_is_foreign_and_not_overwritten_by_ours() -> None:
    buffer = io.BytesIO(npz(a=np.arange(2)))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"somebody else wrote this archive, with a rather long comment"
    assert read_mark(buffer.getvalue()) == "foreign"
    with pytest.raises(ValueError, match="carry a mark"):
        mark(buffer.getvalue())


def test_matplotlib_reads_a_marked_png() -> None:
    from matplotlib.image import imread

    assert np.array_equal(imread(io.BytesIO(mark(png()))), imread(io.BytesIO(png())))


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"# symprop sha256:\n", b"PK", b"%PDF-", b"PK\x03\x04"]
)
def test_scraps_are_foreign(data: bytes) -> None:
    assert read_mark(data) == "foreign"


def test_no_other_kind_of_bytes_is_marked() -> None:
    with pytest.raises(ValueError, match="only npz, png and pdf"):
        mark(b"GIF89a")


@pytest.mark.parametrize("comment", ["# ", "% ", "<!-- "])
def test_a_stamp_may_say_the_version(comment: str) -> None:
    text = stamp("body\n", comment, "0.2.0")
    assert text.startswith(f"{comment}symprop 0.2.0 sha256:") and is_stamped(text)
    assert version_in(text.encode()) == "0.2.0"
    assert version_in(text.replace("\n", "\r\n").encode()) == "0.2.0"
    assert version_in(stamp("body\n", comment).encode()) == ""
    assert unstamped(text) == unstamped(stamp("body\n", comment)) == "body\n"
    assert read_mark(text.replace("body", "Body").encode()) == "edited"
