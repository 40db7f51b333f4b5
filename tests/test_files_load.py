"""Text becomes a module: live, traceable, and without side effects on other modules."""

import inspect
import sys
import traceback
from pathlib import Path

import pytest

from symprop.errors import FileError, InputError
from symprop.files.load import load_file, load_text


def test_functions_of_a_text_work_and_show_their_source() -> None:
    module = load_text("def twice(x):\n    return 2 * x  # (F1)\n", "shown")
    assert module.__name__ == "shown" and module.twice(4) == 8
    assert inspect.getsource(module.twice) == "def twice(x):\n    return 2 * x  # (F1)\n"


def test_a_traceback_shows_the_line() -> None:
    module = load_text("def divide(x):\n    return x / 0  # here\n", "traced")
    try:
        module.divide(1)
    except ZeroDivisionError:
        assert "return x / 0  # here" in traceback.format_exc()


def test_two_texts_of_one_name_keep_their_own_lines() -> None:
    first = load_text("def f():\n    return 1\n", "same")
    second = load_text("def f():\n    return 2\n", "same")
    assert "return 1" in inspect.getsource(first.f)
    assert "return 2" in inspect.getsource(second.f)
    again = load_text("def f():\n    return 1\n", "same")
    assert again.f.__code__.co_filename == first.f.__code__.co_filename


@pytest.mark.parametrize("name", ["numpy", "json", "symprop"])
def test_no_other_module_is_replaced(name: str) -> None:
    former = sys.modules.get(name)
    load_text("x = 1\n", name)
    with pytest.raises(ZeroDivisionError):
        load_text("1 / 0\n", name)
    assert sys.modules.get(name) is former


def test_the_main_part_does_not_run() -> None:
    load_text("if __name__ == '__main__':\n    raise SystemExit(1)\n", "mlp")


@pytest.mark.parametrize("text", ["def f(:\n", "x = (1\n", "x = 1\x00\n", "  x = 1\n y = 2\n"])
def test_what_is_no_python_is_an_input_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not Python"):
        load_text(text, "bad")
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(InputError, match=r"bad\.py is not Python"):
        load_file(tmp_path / "bad.py")


def test_a_file_that_is_not_utf8_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    with pytest.raises(InputError, match="is not Python"):
        load_file(tmp_path / "latin.py")


def test_a_file_is_imported_with_dataclasses_and_future_annotations(tmp_path: Path) -> None:
    text = """
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass
        class Point:
            x: int = 1
        """
    (tmp_path / "point.py").write_text(inspect.cleandoc(text))
    module = load_file(tmp_path / "point.py")
    assert module.Point().x == 1 and module.__file__ == str(tmp_path / "point.py")
    assert "point" not in sys.modules
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["point.py"]


def test_a_missing_file_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read .*no\.py: No such file"):
        load_file(tmp_path / "no.py")
    with pytest.raises(FileError, match="cannot read"):
        load_file(tmp_path)
