"""Templates: strict, with delimiters for TeX, a user's folder first and in a sandbox."""

from pathlib import Path

import jinja2
import pytest

from symprop.errors import FileError, InputError
from symprop.files import templates
from symprop.files.templates import default_folder, environment, render
from symprop.pipeline import derive, generate, trace
from symprop.zoo import models


def test_the_default_folder_holds_templates() -> None:
    assert any(default_folder().rglob("*.jinja"))


def test_a_package_without_templates_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "PACKAGE", tmp_path / "symprop")
    with pytest.raises(FileError, match="not installed completely"):
        default_folder()


def test_templates_inside_the_package_go_before_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr(templates, "PACKAGE", tmp_path / "symprop")
    assert default_folder() == tmp_path / "templates"
    (tmp_path / "symprop" / "templates").mkdir(parents=True)
    assert default_folder() == tmp_path / "symprop" / "templates"


def test_nothing_undefined_is_printed_and_nothing_is_escaped() -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ missing }}").render()
    assert environment().from_string("{{ x }}\n").render(x="<&>") == "<&>\n"


def test_blocks_leave_no_blank_lines() -> None:
    text = "a\n  {% if true %}\nb\n  {% endif %}\nc\n"
    assert environment().from_string(text).render() == "a\nb\nc\n"


def test_latex_delimiters_leave_tex_alone() -> None:
    text = r"""\newcommand{\x}[1]{{#1}} % {{ {% {#
\BLOCK{ for v in values }
\#{ a remark, gone with its line }
$\VAR{v}^{2}$
\BLOCK{ endfor }
"""
    expected = "\\newcommand{\\x}[1]{{#1}} % {{ {% {#\n$a^{2}$\n$b^{2}$\n"
    assert environment(latex=True).from_string(text).render(values=["a", "b"]) == expected


def test_a_users_folder_goes_first(tmp_path: Path) -> None:
    name = next(default_folder().rglob("*.jinja")).relative_to(default_folder()).as_posix()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine: {{ x }}")
    assert render(name, {"x": 1}, folder=tmp_path) == "mine: 1"
    assert environment(tmp_path).list_templates() == environment().list_templates()


def test_a_users_template_runs_in_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(InputError, match="evil cannot be rendered"):
        render("evil", {}, folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ missing }}", "cannot be rendered: 'missing' is undefined"),
        ("a\n{% for %}", "own:2 cannot be read"),
        ("{% include 'other' %}", "there is no template other"),
    ],
)
def test_a_bad_template_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own").write_text(text)
    with pytest.raises((InputError, FileError), match=message):
        render("own", {}, folder=tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist or is not a folder"):
        environment(tmp_path / "no")


def test_a_users_template_extends_ours(tmp_path: Path) -> None:
    (tmp_path / "module.py.jinja").write_text(
        '{% extends "!module.py.jinja" %}\n{% block imports %}\n{{ super() }}# ours too\n'
        "{% endblock %}\n"
    )
    (tmp_path / "derivation.tex.jinja").write_text(
        '\\BLOCK{extends "!derivation.tex.jinja"}\n\\BLOCK{block rules}\n\\BLOCK{endblock}\n'
    )
    model = models()["linear_regression"]
    derivation = derive(trace(model.function, wrt=model.wrt))
    plain, mine = (generate(derivation, templates=t).source for t in (None, tmp_path))
    added = set(mine.splitlines()[1:]) - set(plain.splitlines())
    assert added == {"# ours too"} and "import numpy as np\n# ours too\n" in mine
    whole, short = (derivation.latex(templates=t, detail="full") for t in (None, tmp_path))
    assert "section{The rules}" in whole and "section{The rules}" not in short
    with pytest.raises(FileError, match="there is no template !nothing"):
        (tmp_path / "derivation.txt.jinja").write_text('{% include "!nothing" %}')
        derivation.text(templates=tmp_path)
