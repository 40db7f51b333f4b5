"""docs/rules.md names every rule of a derivation, with a sentence and a step that takes it.

docs/zh/rules.md does so in Chinese, with the same steps.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import rule_examples

import symprop
from symprop.emit.page import Row
from symprop.emit.rules import rule, rules
from symprop.emit.sheet import SheetPrinter
from symprop.emit.text import TextStyle, aligned, notation
from symprop.emit.words import words
from symprop.system import Adjoint, Step, System

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": DOCS / "rules.md", "zh": DOCS / "zh" / "rules.md"}
HEADS = {"en": """\
# The rules

The reasons that a derivation gives, each with a step that takes it: the line before, and the line
after with its reason. `symprop derive --detail full` prints every step of a derivation so. A step
is evaluated on random arrays before it is printed; a rule that departs from the gradient
([learning rules](learning-rules.md)) has an arrow in the place of its equal sign.
([中文](zh/rules.md))
""", "zh": """\
# 推导规则

推导中给出的各条理由，各附用到它的一步：前一行，以及写着理由的后一行。
`symprop derive --detail full --language zh` 这样打印推导的每一步。
每一步打印之前都在随机数组上求值检验；偏离梯度的规则（[学习规则](../learning-rules.md)）用箭头代替等号。（[English](../rules.md)）
"""}


@cache
def derivations() -> tuple[symprop.Derivation, ...]:
    plain = [symprop.derive(symprop.trace(f, **options))
             for f, options in rule_examples.PLAIN.items()]
    learnt = rule_examples.two_layers
    return (*plain, *(symprop.derive(symprop.trace(learnt, **rule_examples.PLAIN[learnt]), rule)
                      for rule in rule_examples.RULES))


def steps(name: str) -> Iterator[tuple[symprop.Derivation, Adjoint | None, Step]]:
    """Every step of the examples that takes a rule."""
    for derivation in derivations():
        for step in derivation.system.recognised:
            if step.rule == name:
                yield derivation, None, step
        for adjoint in derivation.adjoints:
            yield from ((derivation, adjoint, s) for s in adjoint.steps if s.rule == name)


def shown(
    derivation: symprop.Derivation, adjoint: Adjoint | None, step: Step, language: str = "en"
) -> str:
    """The two lines of a step, or the one that it begins with."""
    system: System = derivation.system
    sheet = SheetPrinter(derivation, TextStyle(notation(system), language))
    if adjoint is None:
        block = sheet._forward(next(e for e in system.equations if e.number == step.equation))
        rows = list(block.rows[:2])
    else:
        printer = sheet.printer(adjoint)
        left = sheet._left(adjoint, printer)
        label = sheet._steps(adjoint, printer)[adjoint.steps.index(step)].label
        rows = [Row(left.text, sheet._cut(printer.expr(step.before), left)),
                Row("", sheet._cut(printer.expr(step.after), left), label, departs=step.departs)]
        if rows[0].lines == (left.text,) or step.rule == "chain rule":
            rows = [Row(left.text, rows[1].lines, label)]
    return aligned([Row(r.left, r.lines, r.label, departs=r.departs) for r in rows])


@cache
def chosen(name: str) -> tuple[symprop.Derivation, Adjoint | None, Step]:
    """The step of a rule that takes the least room, in English."""
    candidates = [(shown(*found), found) for found in steps(name)]
    return min(candidates, key=lambda c: (len(c[0]), c[0]))[1]


def page(language: str) -> str:
    """docs/rules.md, or its counterpart."""
    parts = [HEADS[language]]
    for name in rules():
        told, found = rule(name, words(language)), chosen(name)
        example = shown(*found, language)
        function = getattr(rule_examples, found[0].system.name)
        title = inspect.getdoc(function) if language == "en" else rule_examples.CHINESE[function]
        assert title is not None
        parts.append(f"## {told.label}\n\n{told.sentence}\n\n{title}\n\n```text\n{example}\n```\n")
    return "\n".join(parts)


@pytest.mark.parametrize("language", PAGES)
def test_the_page_is_generated(language: str, request: pytest.FixtureRequest) -> None:
    path = PAGES[language]
    if request.config.getoption("--update"):
        path.write_text(page(language), encoding="utf-8")
    assert path.read_text("utf-8") == page(language), "make generated rewrites docs/rules.md"


def test_every_rule_has_an_example_and_every_step_a_rule() -> None:
    taken = {s.rule for d in derivations() for s in d.steps}
    assert taken == set(rules()), taken ^ set(rules())


@pytest.mark.parametrize("name", rules())
def test_a_rule_is_told_in_one_sentence(name: str) -> None:
    sentence = rule(name).sentence
    assert sentence[0].isupper() and sentence.endswith(".") and ". " not in sentence
