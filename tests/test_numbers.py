"""Numbers in print and code: as the author wrote them, and never with more than 17 digits."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symprop
from symprop.algebra.build import number
from symprop.algebra.constants import Spelled, spell

GENERATED = Path(__file__).parents[1] / "generated"
SQUARE = np.sqrt(2 / np.pi)


def longest(text: str) -> str:
    """The number with the most digits (no zeros in front) that stands in a text."""
    found = re.findall(r"(?<![\w.])\d[\d.]*", re.sub(r"sha256:\w+", "", text))
    return max((n.replace(".", "").lstrip("0") for n in found), key=len, default="")


def awkward(X: "N K", w: "K", v: "K") -> Any:
    """Constants as people write them, and as nobody should."""
    c = (X / 3.0) @ w
    d = SQUARE * (c + 0.044715 * c**3) + 0.1 * (1 / 3) * c
    e = X @ v * 1.2345678901234 + 1 / np.sqrt(2) * d + 12345678901234567890 * d
    f = np.where(e > 0.123456789012, e, e / np.pi) ** 2.5
    g = f * 0.9999999999 + 1e-13 + np.exp(-0.5 * np.log(2 * np.pi)) * np.abs(c) ** 0.33333
    h = g * (1 / 3) * (1 / 7) * np.pi**2 * 0.123456 * np.float32(0.1) + 123456789 / 7
    return np.mean(h**2) * 0.1 + np.log(2 * np.pi) * 0.5 + np.sum(w * np.array([0.1, 1 / 3, 2**.5]))


@lru_cache(maxsize=1)
def derived() -> symprop.Derivation:
    return symprop.derive(symprop.trace(awkward, {"X": "N 3", "w": "3", "v": "3"}, ["w", "v"]))


@lru_cache(maxsize=1)
def source() -> str:
    return symprop.generate(derived()).source


@pytest.mark.parametrize("printed", ["text", "latex", "markdown", "code"])
def test_no_number_has_more_than_17_digits(printed: str) -> None:
    text = source() if printed == "code" else getattr(derived(), printed)()
    assert len(longest(text)) <= 17, longest(text)


@pytest.mark.parametrize("path", sorted(GENERATED.glob("*.*")), ids=lambda p: p.name)
def test_nor_in_the_gallery(path: Path) -> None:
    text = path.read_text()
    assert len(longest(text)) <= (17 if path.suffix == ".py" else 6), longest(text)


@pytest.mark.parametrize("shown", [
    "√(2/π) (c[n] + 0.044715 c[n]³)", "d[n]/√2", "≈1.235 Σ_", "≈1.235e19 d[n]",
    "e[n]/π, e[n] ≤ ≈0.1235}", "≈1.000 f[n] + 1e-13", "log(2 π)/2", "0.33333",
])
def test_text_shows_what_was_written(shown: str) -> None:
    assert shown in derived().text()


@pytest.mark.parametrize("shown", [
    r"\sqrt{\frac{2}{\pi}} \, (c_{n} + 0.044715", r"\frac{1}{\sqrt{2}} d_{n}", r"{\approx}1.000 ",
    r"{\approx}1.235 \cdot 10^{19} d_{n}", r"\frac{\log (2 \pi)}{2}", r"6 \cdot 0.044715",
    r"\mathrm{abs}_{c,n}^{0.33333}",
])
def test_latex_shows_what_was_written(shown: str) -> None:
    assert shown.replace(r" \, ", " ") in derived().latex().replace(r" \, ", " ")


@pytest.mark.parametrize("shown", [
    "c = 1 / 3 * (X @ w)", "(2 / np.pi)**0.5 * (c + 0.044715 * (c * c * c))", "1 / np.pi * e",
    "1.2345678901234 * (X @ v)", "0.9999999999 * f + 1e-13", "0.9189385332046727",
])
def test_code_has_the_same_bits(shown: str) -> None:
    assert shown in source()


@pytest.mark.parametrize(("value", "expected"), [
    (1 / 3, "1/3"), (2**0.5, "√2"), (1 / 2**0.5, "1/√2"), (0.5**0.5, "1/√2"), (8**0.5, "2√2"),
    (math.pi, "π"), (2 * math.pi / 3, "2π/3"), (1 / math.pi, "1/π"), (math.pi**2 / 6, "π^2/6"),
    (math.sqrt(2 / math.pi), "√(2/π)"), (1 / math.sqrt(2 * math.pi), "1/√(2π)"),
    (math.sqrt(math.pi), "√π"), (math.log(2), "log2"), (0.5 * math.log(2 * math.pi), "log2π/2"),
    (math.nextafter(math.pi, 4), "≈"), (2**0.5 * (1 + 1e-15), "≈"), (0.1234567, "≈"),
    (0.123456, "123456/1000000"), (1e-5, "1/100000"), (65 / 97, "≈"), (10**17 - 1, "9" * 17),
])
def test_a_float_is_shown_as_what_it_is_to_the_last_bit(value: float, expected: str) -> None:
    spelled = spell(number(value).number or Fraction(0))
    assert formed(spelled) == formed_text(expected)


def formed(spelled: Spelled) -> str:
    """A number on one line, its ratio last."""
    if not spelled.exact:
        return "≈"
    above, below = [], []
    for constant, exponent in spelled.factors:
        inside = "π" if constant.kind == "pi" else (
            "" if constant.number == 1 else str(constant.number.numerator)) + (
            "π" if constant.pi > 0 else "") + ("/π" if constant.pi < 0 else "")
        bare = len(inside) == 1
        name = {"pi": "π", "root": f"√{inside}" if bare else f"√({inside})",
                "log": f"log{inside}", "decimal": ""}[constant.kind]
        name += f"^{abs(exponent)}" if abs(exponent) > 1 else ""
        (above if exponent > 0 else below).append(name)
    top, bottom = spelled.ratio.numerator, spelled.ratio.denominator
    over = "".join([*([str(top)] if top != 1 or not above else []), *above])
    under = "".join([*([str(bottom)] if bottom != 1 else []), *below])
    return f"{over}/{under}" if under else over


def formed_text(expected: str) -> str:
    """The expected text with its ratio in lowest terms."""
    if re.fullmatch(r"\d+/\d+", expected):
        return str(Fraction(expected))
    return expected


def test_products_of_what_was_written_stay_products() -> None:
    own = (Fraction("0.044715"), Fraction(repr(float(SQUARE))), Fraction("0.999"))
    for value, ratio, count in (
        (own[0] * own[1] * 3, 3, 2), (own[0] ** 2 * 2, 2, 1), (own[1] * 2, 2, 1),
        (own[2] * Fraction("0.2"), Fraction("0.2"), 1), (1 / own[0], 1, 1), (own[0], own[0], 0),
    ):
        spelled = spell(value, own)
        assert (spelled.exact, spelled.ratio, len(spelled.factors)) == (True, ratio, count)


def test_what_is_exact_is_the_number_and_what_is_not_has_its_first_digits() -> None:
    rng = np.random.default_rng(0)
    for value in [*rng.normal(size=200) ** 2, *(10.0 ** rng.uniform(-12, 12, 200)),
                  *(np.sqrt(rng.integers(1, 64, 100) / rng.integers(1, 64, 100)))]:
        exact = number(float(value)).number or Fraction(0)
        spelled = spell(exact)
        meant = float(spelled.ratio) * math.prod(c.value**e for c, e in spelled.factors)
        assert meant == pytest.approx(float(value), rel=1e-15)
