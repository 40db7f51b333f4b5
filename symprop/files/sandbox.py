"""Jinja's sandbox, bounded in time and in what it makes: for templates that are not ours.

In: a template of a user's folder, the values that it prints. Out: the text, or a LimitError. The
sandbox bounds what a template can reach; here, how long it runs and how long a text it makes.
"""

from __future__ import annotations

import functools
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MOST_SECONDS = 10.0
LONGEST_TEXT = 10**7
LARGEST_NUMBER = 10**6  # in a product, in a call
_WIDTH = re.compile(r"[%{][^\s%{}]*\d{6}")  # of a format, as in %1000000d and {:1000000}


class LimitError(jinja2.TemplateError):
    """A template takes too long, or makes too much."""


class _Generator(CodeGenerator):
    """Joins texts through the environment."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class Bounded(SandboxedEnvironment):
    """The sandbox, in which no operation makes more than a page of any reason needs."""

    intercepted_binops = frozenset(("*", "**", "+", "%"))
    code_generator_class = _Generator

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.filters = {n: _of_small_numbers(f) for n, f in self.filters.items()}

    def call(self, context: Context, obj: Any, *args: Any, **named: Any) -> Any:
        """A call of a template, of small numbers: x.ljust(10**9) is long in one step."""
        _expect_small((*args, *named.values(), getattr(obj, "__self__", "")))
        return super().call(context, obj, *args, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operation of a template, where its result is of a bounded size."""
        sizes = [len(x) if hasattr(x, "__len__") else 0 for x in (left, right)]
        counts = [abs(x) for x in (left, right) if isinstance(x, int | float)]
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            too_much = operator == "%" or max(counts, default=0) > 1000
        elif operator == "*":
            too_much = max(counts, default=0) > LARGEST_NUMBER or (
                sum(sizes) * max(counts, default=1) > LONGEST_TEXT)
        else:
            too_much = sum(sizes) > LONGEST_TEXT
        if too_much:
            raise LimitError(f"{operator} of values as large as these is not calculated")
        return super().call_binop(context, operator, left, right)

    def joined(self, parts: tuple[Any, ...]) -> str:
        """`~` of a template."""
        texts = [str(p) for p in parts]
        _bound(sum(map(len, texts)))
        return "".join(texts)


def rendered(template: jinja2.Template, values: Mapping[str, object]) -> str:
    """The text of a template. LimitError where it takes too long or becomes too long."""
    found: list[str] = []
    length = 0
    try:
        with _deadline():
            for piece in template.generate(values):
                length += len(piece)
                _bound(length)
                found.append(piece)
    except OverflowError as error:
        raise LimitError(str(error)) from error
    except MemoryError as error:
        raise LimitError("the memory does not suffice") from error
    return "".join(found)


def _of_small_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that takes no number, and no width in a format, that makes a text too long."""

    @functools.wraps(function)
    def guarded(*args: Any, **named: Any) -> Any:
        _expect_small((*args, *named.values()))
        return function(*args, **named)

    return guarded


def _expect_small(values: Iterable[Any]) -> None:
    for value in values:
        large = isinstance(value, int | float) and abs(value) > LARGEST_NUMBER
        if large or (isinstance(value, str) and _WIDTH.search(value)):
            raise LimitError("a number as large as this is not taken")


def _bound(length: int) -> None:
    if length > LONGEST_TEXT:
        raise LimitError(f"its text is longer than {LONGEST_TEXT:,} characters")


@contextmanager
def _deadline() -> Iterator[None]:
    """Stops every line of Python in the block after some seconds, in any thread."""
    end = time.monotonic() + MOST_SECONDS
    former = sys.gettrace()

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > end:
            raise LimitError(f"it takes longer than {MOST_SECONDS:.0f} seconds")
        return watch

    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(former)
