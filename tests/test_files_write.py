"""Writing: whole or not at all, and never over what is not ours."""

import os
import stat
from pathlib import Path

import pytest

from symprop.errors import FileError, RefusedToOverwrite, SympropError
from symprop.files import write
from symprop.files.write import make_folder, may_write, stamp, status_of, write_bytes, write_text
from symprop.version import __version__

PDF = b"%PDF-1.5\n%%EOF\n"


def test_a_new_file_is_written_stamped_and_recognised(tmp_path: Path) -> None:
    path = tmp_path / "mlp.py"
    assert status_of(path) == "absent"
    write_text(path, "x = 1\n")
    assert path.read_text() == stamp("x = 1\n", version=__version__)
    assert status_of(path) == "ours"


@pytest.mark.parametrize(("name", "start"), [("a.tex", "% "), ("a.md", "<!-- "), ("a.txt", "# ")])
def test_the_suffix_says_how_a_comment_looks(tmp_path: Path, name: str, start: str) -> None:
    write_text(tmp_path / name, "body\n")
    assert (tmp_path / name).read_text().startswith(f"{start}symprop {__version__} sha256:")


def test_a_text_that_is_stamped_keeps_its_comment(tmp_path: Path) -> None:
    write_text(tmp_path / "a.md", stamp("body\n", "% "))
    assert (tmp_path / "a.md").read_text() == stamp("body\n", "% ", __version__)


def test_a_file_of_ours_is_replaced(tmp_path: Path) -> None:
    write_text(tmp_path / "a.py", "x = 1\n")
    write_text(tmp_path / "a.py", "x = 2\n")
    assert "x = 2" in (tmp_path / "a.py").read_text()


def test_an_edited_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    write_text(path, "x = 1\n")
    path.write_text(path.read_text() + "y = 2\n")
    assert status_of(path) == "edited"
    with pytest.raises(RefusedToOverwrite, match="edited by hand"):
        write_text(path, "x = 3\n")
    assert path.read_text().endswith("y = 2\n")
    write_text(path, "x = 3\n", force=True)
    assert path.read_text() == stamp("x = 3\n", version=__version__)


@pytest.mark.parametrize(
    "content", [b"mine\n", b"", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4\n", b"PK\x03\x04"]
)
@pytest.mark.parametrize("force", [False, True])
def test_a_foreign_file_is_never_replaced(tmp_path: Path, content: bytes, force: bool) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(content)
    for attempt in (lambda: write_text(path, "x\n", force), lambda: write_bytes(path, PDF, force)):
        with pytest.raises(RefusedToOverwrite, match="not written by symprop"):
            attempt()
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["a.py"]


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text(stamp("x\n"))
    for name, aim in (("link.py", "real.py"), ("dangling.py", "nowhere.py")):
        (tmp_path / name).symlink_to(tmp_path / aim)
        assert status_of(tmp_path / name) == "foreign"
        with pytest.raises(RefusedToOverwrite, match="symbolic link"):
            write_text(tmp_path / name, "y\n", force=True)
    assert (tmp_path / "real.py").read_text() == stamp("x\n")
    assert not (tmp_path / "nowhere.py").exists()


def test_binary_files_follow_the_same_rules(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    write_bytes(path, PDF)
    write_bytes(path, PDF)
    assert status_of(path) == "ours"
    path.write_bytes(path.read_bytes().replace(b"1.5", b"1.7"))
    assert status_of(path) == "edited"
    with pytest.raises(RefusedToOverwrite):
        write_bytes(path, PDF)
    write_bytes(path, PDF, force=True)


def test_a_folder_in_the_way_and_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="it is a folder"):
        write_text(tmp_path, "x\n")
    with pytest.raises(FileError, match="there is no folder"):
        write_text(tmp_path / "no" / "a.py", "x\n")
    assert status_of(tmp_path) == "foreign"


def test_an_error_of_the_system_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    write_text(tmp_path / "a.py", "x = 1\n")
    monkeypatch.setattr(write.os, "fsync", full)
    for name in ("a.py", "b.py"):
        with pytest.raises(FileError, match=rf"cannot write .*{name}: no space left"):
            write_text(tmp_path / name, "x = 2\n")
    assert os.listdir(tmp_path) == ["a.py"]
    assert (tmp_path / "a.py").read_text() == stamp("x = 1\n", version=__version__)


def test_an_interrupt_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(number: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "a.py", "x\n")
    assert os.listdir(tmp_path) == []


def test_a_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.py"
    monkeypatch.setattr(write.os, "fsync", lambda number: path.write_text("quicker\n"))
    with pytest.raises(RefusedToOverwrite, match="somebody else"):
        write_text(path, "x\n")
    assert path.read_text() == "quicker\n"
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def impossible(source: Path, aim: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(write.os, "link", impossible)
    write_text(tmp_path / "a.py", "x\n")
    assert status_of(tmp_path / "a.py") == "ours"
    assert os.listdir(tmp_path) == ["a.py"]


def test_permissions_are_those_of_the_umask_and_then_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    former = os.umask(0o027)
    try:
        write_text(path, "x\n")
    finally:
        os.umask(former)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o755)
    write_text(path, "y\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_asking_first_says_what_writing_would(tmp_path: Path) -> None:
    assert may_write(tmp_path / "a.py") == "absent"
    write_text(tmp_path / "a.py", "x\n")
    assert may_write(tmp_path / "a.py") == "ours"
    (tmp_path / "a.py").write_text("mine\n")
    with pytest.raises(RefusedToOverwrite):
        may_write(tmp_path / "a.py", force=True)


def test_folders_are_made_with_those_above(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="cannot create the folder"):
        make_folder(tmp_path / "file" / "b")


def test_errors_are_also_the_builtin_ones(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("mine\n")
    with pytest.raises(FileExistsError) as caught:
        write_text(tmp_path / "a.py", "x\n")
    assert isinstance(caught.value, SympropError)


def test_drafts_of_writers_that_were_killed_are_cleared_and_those_at_work_are_not(
    tmp_path: Path
) -> None:
    left = tmp_path / ".symprop-0123456789abcdef"
    left.write_text("half")
    with write._draft(tmp_path, b"at work") as held:
        write_text(tmp_path / "a.py", "x = 1\n")
        assert not left.exists() and held.read_bytes() == b"at work"
    assert [p.name for p in tmp_path.iterdir()] == ["a.py"]
