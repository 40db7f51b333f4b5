"""The catalogues of languages: the same keys, the same parts, none left over, none missing."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import rule_examples
from block_networks import by_blocks, residual
from built_models import built

import symprop
from symprop.algebra import rows
from symprop.emit.text_notation import columns
from symprop.emit.words import ENGLISH, Pattern, languages, words
from symprop.errors import InputError
from symprop.system import LEARNING_RULES

ROOT = Path(__file__).resolve().parents[1]
EMIT = ROOT / "symprop" / "emit"
COMPUTED = (  # keys of which a part is data: a rule, a kind, what is derived
    "rule.", "departure.", "convention.", "role.", "sought.input", "sought.parameter",
    "title.", "heading.", "equation.", "cost.", "figure.", "fact.")


def parts(pattern: Pattern) -> set[str]:
    """The parts of a sentence, over all its forms."""
    forms = [pattern] if isinstance(pattern, str) else list(pattern.values())
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def sources() -> Iterator[tuple[Path, str]]:
    for path in (*EMIT.rglob("*.py"), *(ROOT / "templates").glob("*.jinja"),
                 ROOT / "symprop" / "derivation.py", *(ROOT / "symprop" / "cli").glob("*.py")):
        yield path, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", [n for n in languages() if n != ENGLISH])
def test_a_language_has_every_sentence_with_its_parts(language: str) -> None:
    english, other = words(), words(language)
    assert list(other.table) == list(english.table)
    for key, pattern in english.table.items():
        if not key.startswith(("convention.", "language.", "figure.packages")):  # braces of LaTeX
            assert parts(other.table[key]) == parts(pattern), key


@pytest.mark.parametrize("language", languages())
def test_words_are_plain_and_nothing_is_empty(language: str) -> None:
    """They are put on pages of LaTeX, Markdown and text as they are, or escaped."""
    say = words(language)
    for key, pattern in say.table.items():
        forms = [pattern] if isinstance(pattern, str) else list(pattern.values())
        if key.startswith(("convention.", "language.", "mark.after")) or key in (
                "title.comment", "figure.packages"):
            continue
        for form in forms:
            assert form.strip(), key
            assert not re.search(r"[\\$#%&^~<>|`*]", form), key
            assert re.fullmatch(r"[ -~\u3000-\u9fff\uff00-\uffef“”]*", form), key  # for TeX


def test_every_key_is_used() -> None:
    """As it stands or, where a part of it is data, by its beginning and its end."""
    quoted = {t for _, text in sources() for t in re.findall(r"[\"']([\w.]+)[\"']", text)}
    left = [k for k in words().table if k not in quoted]
    assert [k for k in left if not k.startswith(COMPUTED)] == []
    ends = {k.rpartition(".")[2] for k in left if k.startswith(("cost.", "figure.", "equation."))}
    assert sorted(ends - quoted) == []


def test_a_key_that_is_asked_for_is_there() -> None:
    asked = {k for _, text in sources()
             for k in re.findall(r"(?:words|say)\(\s*[\"']([a-z_]+\.[a-z_]+)[\"'](?! ~)", text)}
    assert len(asked) > 60
    assert sorted(k for k in asked if k not in words()) == []


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="no language 'xx'; there are "):
        words("xx")


# ---- pages ---------------------------------------------------------------------------------

MODELS = ("logistic_regression", "mlp_sigmoid_mse", "mlp", "lstm")
NAMES = {*rows.names(), "onehot", "diag", "cof", "det", "tr", "max", "min", "log", "exp", "mod",
         "log_softmax", "softmax", "axis", "sums_to_one"}


def english(page: str, known: set[str]) -> set[str]:
    """The words of a page that are neither names of the program nor mathematics or marks."""
    text = unicodedata.normalize("NFD", page).replace("\u0305", "").replace("\u0304", "")
    text = re.sub(r"classDef.*|flowchart.*|:::.*|\bn\d+", " ", text.replace("\\_", "_"))
    text = re.sub(r"\$\$?.*?\$\$?|`[^`]*`|<[^>]*>|\[[^\]]*\]|(?:Σ|max)_\w+|[FB]\d+", " ", text,
                  flags=re.S)
    return {w for w in re.findall(r"[A-Za-z]\w{2,}", text, re.A)
            if w not in known and w.removeprefix("d") not in known}


@pytest.mark.parametrize("name", MODELS)
def test_a_page_in_chinese_holds_no_english(name: str) -> None:
    model = built(name)
    derivation, known = model.derivation, NAMES | {name, model.derivation.system.name}
    known |= {*derivation.system.arrays, *derivation.system.sizes, "float64", "KiB", "MiB", "GiB"}
    pages = [derivation.text(detail=d, language="zh") for d in ("brief", "normal", "full")]
    pages += [derivation.markdown(detail="full", language="zh"),
              str(derivation.cost(language="zh")), derivation.cost(language="zh").markdown()]
    figures = [derivation.figure(kind, "mermaid", language="zh")
               for kind in ("forward", "backward", "training")]
    for page in (*pages, *figures):
        assert english(page, known) == set()
    assert all(re.search("[\u4e00-\u9fff]", page) for page in (*pages, figures[2]))


def test_lemmas_and_a_worked_example_hold_no_english() -> None:
    blocks = symprop.derive(built("deep_mlp").derivation.system, structure="blocks")
    known = NAMES | {*blocks.system.arrays, "deep_mlp", "step", "sigmoid"}
    for detail in ("brief", "normal", "full"):
        assert english(blocks.text(detail=detail, language="zh"), known) == set()
    flat = built("logistic_regression").derivation
    inputs = {"X": [[1.0, 2.0]], "y": [1.0], "w": [0.5, 0.25], "b": 0.0}
    page = flat.worked_example(inputs, language="zh")
    assert english(page, NAMES | {*flat.system.arrays, flat.system.name}) == set()
    assert "沿负梯度方向走一步，步长 0.5" in page


@pytest.mark.parametrize("rule", LEARNING_RULES)
def test_a_learning_rule_is_told_in_chinese(rule: str) -> None:
    found = symprop.derive(symprop.trace(rule_examples.two_layers, wrt=["W", "V", "U"]), rule)
    known = NAMES | {*found.system.arrays, found.system.name}
    page = found.text(language="zh", detail="full")
    assert english(page, known) == set()
    assert page.startswith(f"{found.system.name} 的") and "并非梯度" in page


def test_mathematics_is_that_of_the_english_page() -> None:
    """A language changes words alone: what stands between the signs of LaTeX is the same."""
    derivation = built("mlp").derivation

    def formulas(language: str) -> list[str]:
        found = derivation.markdown(language=language, detail="full")
        blocks = re.findall(r"\$\$\n(.*?)\n\$\$", found, re.S)
        return [re.sub(r"\\text\{[^}]*\}", "", b) for b in blocks]

    assert formulas("zh") == formulas("en") != []


def ignoring(Z: "N C", y: "int N"):
    return symprop.nn.cross_entropy(Z, y, ignore_index=-100)


def test_no_chinese_stands_in_mathematics_but_as_text() -> None:
    """TeX has no glyph for it there."""
    said = symprop.derive(symprop.trace(ignoring, wrt=["Z"]))
    for derivation in (said, built("mlp").derivation, built("lstm").derivation):
        page = derivation.latex(language="zh", detail="full")
        math = re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}|\$(.*?)\$", page, re.S)
        for part in (a or b for a, b in math):
            rest = re.sub(r"\\(?:text|tag\*|sympropreason)\{(?:[^{}]|\{[^{}]*\})*\}", "", part)
            assert not re.search("[\u3000-\u9fff\uff00-\uffef]", rest), rest
    assert r"\text{或 }" in said.latex(language="zh")
    assert ", 或 y[n] = -100" in said.text(language="zh")


def test_a_space_stands_between_chinese_and_other_letters() -> None:
    pages = [by_blocks(residual).text(language="zh"),
             built("lstm").derivation.text(language="zh", detail="full"),
             str(built("mlp").derivation.cost(language="zh")),
             *built("mlp").derivation.figure("training", "mermaid", language="zh").split('"')]
    for page in pages:
        close = re.findall(r"\w*[A-Za-z0-9][\u4e00-\u9fff]+|[\u4e00-\u9fff]+[A-Za-z0-9]\w*", page)
        assert close == []
        assert not re.search("[（）“”，。、；：] \\S", page)


def test_a_sentence_that_counts_has_two_forms_in_english() -> None:
    say = words("en")
    assert say("reason.vanishing", 1, numbers="(B1)") == "as (B1) is 0"
    assert say("reason.vanishing", 2, numbers="(B1), (B2)") == "as (B1), (B2) are 0"


def test_lines_of_chinese_are_as_wide_as_they_look() -> None:
    """Two columns a letter; no line ends before a comma or after an opening mark."""
    for width in (80, 88, 120):
        page = built("lstm").derivation.text(language="zh", width=width)
        assert all(columns(line) <= width for line in page.splitlines())
        assert not re.search(r"^ *[，。、；：）”]|[（“]$", page, re.M)
    assert columns("梯度 x\u0304") == 6
