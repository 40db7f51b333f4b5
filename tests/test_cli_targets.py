"""TARGET: a zoo name, file.py:function, or a file; every miss says what there is instead."""

import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from symprop.cli import targets
from symprop.cli.constants import Options
from symprop.cli.targets import blaming, find_forward, find_forward_or_module, import_file
from symprop.errors import FileError, InputError, NameRuleError, ShapeError, SympropError
from symprop.system import Fact
from symprop.zoo import table

ONE = Fact("sums_to_one", "Y", (1,))
POSITIVE = Fact("positive", "X")


def forward(X: "N K") -> object:
    return X.sum()


@pytest.fixture(autouse=True)
def zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    model = SimpleNamespace(
        function=forward, shapes={"X": "N K"}, wrt=("X",), facts=(ONE,), static={"heads": 2}
    )
    monkeypatch.setattr(table, "models", lambda: {"mlp": model, "autoencoder": model})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.py"
    path.write_text("import numpy as np\n\ndef loss(X: 'N'):\n    return np.sum(X)\n\nK = 3\n")
    return path


def test_a_zoo_name_with_what_the_zoo_says_of_it() -> None:
    found = find_forward("mlp", Options())
    assert (found.name, found.function, found.wrt) == ("mlp", forward, ("X",))
    assert (found.shapes, found.facts, found.static) == ({"X": "N K"}, (ONE,), {"heads": 2})


def test_options_win_and_facts_add_up() -> None:
    options = Options({"X": "N D"}, ["Y"], [POSITIVE], {"heads": 4})
    found = find_forward("mlp", options)
    assert (found.shapes, found.wrt) == ({"X": "N D"}, ["Y"])
    assert (found.facts, found.static) == ((ONE, POSITIVE), {"heads": 4})


def test_a_function_of_a_file(file: Path) -> None:
    found = find_forward(f"{file}:loss", Options(shapes={"X": "N K"}))
    assert found.name == "loss" and found.function.__module__ == "model"
    assert found.shapes == {"X": "N K"} and found.static is None and found.wrt is None


def test_a_whole_file_only_where_one_is_wanted(file: Path) -> None:
    assert find_forward_or_module(str(file), Options()) == file
    with pytest.raises(InputError, match=r"write .*model\.py:FUNCTION"):
        find_forward(str(file), Options())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mpl", "did you mean mlp"),
        ("xyz", "symprop list shows the zoo"),
        ("some/where", "neither a model of the zoo nor path/file.py:function"),
        ("no.py:f", r"cannot read no\.py: No such file"),
        ("no.py", r"there is no file no\.py"),
        ("", "neither a model"),
        (":", "neither a model"),
    ],
)
def test_a_target_that_is_not_there(text: str, message: str) -> None:
    with pytest.raises((InputError, FileError), match=message):
        find_forward_or_module(text, Options())


def test_a_function_that_is_not_there(file: Path) -> None:
    with pytest.raises(InputError, match=r"no function los in .*model\.py; it has loss$"):
        find_forward(f"{file}:los", Options())
    with pytest.raises(InputError, match="no function K in"):
        find_forward(f"{file}:K", Options())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nraise ValueError('bad luck')\n", r"ValueError: bad luck \(broken\.py:2\)"),
        ("import missing_module_of_nobody\n", r"ModuleNotFoundError: .* \(broken\.py:1\)"),
        ("import sys\nsys.exit(5)\n", r"SystemExit: 5 \(broken\.py:2\)"),
        ("def f(:\n", "is not Python"),
    ],
)
def test_a_file_that_cannot_be_imported(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(InputError, match=message):
        find_forward(f"{tmp_path / 'broken.py'}:f", Options())


def test_modules_beside_a_file_are_found_while_the_command_runs(tmp_path: Path) -> None:
    (tmp_path / "beside_the_model.py").write_text("WIDTH = 7\n")
    (tmp_path / "model.py").write_text("from beside_the_model import WIDTH\n")
    before = list(sys.path)
    with click.Context(click.Command("x")):
        assert import_file(tmp_path / "model.py").WIDTH == 7
    sys.modules.pop("beside_the_model")
    assert sys.path == before


def test_what_a_users_function_raises_names_its_line(file: Path) -> None:
    file.write_text("def loss(X):\n    return undefined_name\n")
    found = find_forward(f"{file}:loss", Options())
    expected = r"loss raises NameError: .*undefined_name.* \(model\.py:2\)"
    with pytest.raises(InputError, match=expected), blaming(found.function):
        found.function(1)


def test_what_symprop_raises_comes_through() -> None:
    with pytest.raises(ShapeError, match="mine"), blaming(forward):
        raise ShapeError("mine")
    with pytest.raises(AttributeError) as caught, blaming(forward):
        targets._split(None)  # type: ignore[arg-type]
    assert not isinstance(caught.value, SympropError)


def test_a_file_says_what_its_functions_are_about(tmp_path: Path) -> None:
    path = tmp_path / "said.py"
    path.write_text(
        "import symprop\n"
        "WRT = ('W', 'b')\n"
        "FACTS = ('sums_to_one(Y,1)', symprop.positive('X'))\n"
        "STATIC = {'heads': 2, 'kind': 'relu'}\n"
        "def loss(X, W, b, Y, heads, kind): ...\n"
    )
    found = find_forward(f"{path}:loss", Options())
    assert (found.wrt, found.facts) == (["W", "b"], (ONE, POSITIVE))
    assert found.static == {"heads": 2, "kind": "relu"}
    found = find_forward(f"{path}:loss", Options(wrt=["b"], facts=[ONE], static={"heads": 4}))
    assert (found.wrt, found.facts) == (["b"], (ONE, POSITIVE, ONE))
    assert found.static == {"heads": 4, "kind": "relu"}


def test_a_file_of_several_functions_speaks_of_each(tmp_path: Path) -> None:
    path = tmp_path / "several.py"
    path.write_text(
        "WRT = {'one': 'W,b', 'two': ('V',)}\n"
        "FACTS = {'two': 'positive(X)'}\n"
        "def one(X, W, b): ...\ndef two(X, V): ...\ndef three(X): ...\n"
    )
    found = {name: find_forward(f"{path}:{name}", Options()) for name in ("one", "two", "three")}
    assert [f.wrt for f in found.values()] == [["W", "b"], ["V"], None]
    assert [f.facts for f in found.values()] == [(), (POSITIVE,), ()]


@pytest.mark.parametrize(("text", "message"), [
    ("WRT = 3", "WRT in .*said.py must be a tuple"),
    ("WRT = (3,)", "WRT in .*said.py must hold names"),
    ("WRT = ('1a',)", "not a legal name for WRT in .*said.py"),
    ("FACTS = (3,)", "FACTS in .*said.py must hold facts"),
    ("FACTS = ('hopeful(X)',)", "none that is known"),
    ("STATIC = 4", "STATIC in .*said.py must be a dict"),
])
def test_a_constant_that_says_nothing_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "said.py"
    path.write_text(f"{text}\ndef loss(X): ...\n")
    with pytest.raises((InputError, NameRuleError), match=message):
        find_forward(f"{path}:loss", Options())
