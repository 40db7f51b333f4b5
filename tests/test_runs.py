"""What `make runs` runs, once in small: a few characters, a few digits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from symprop.files.load import load_file

EXAMPLES = Path(__file__).parent.parent / "examples"
TEXT = "the cat sat on the mat; the dog sat on the log. " * 40


@pytest.fixture(scope="module")
def characters():
    return load_file(EXAMPLES / "characters.py")


def test_trigrams_of_a_text_by_hand(characters):
    """With every pair seen often the trigram decides: a loss near that of the source."""
    rng = np.random.default_rng(0)
    ids = np.zeros(40_000, dtype=int)
    for t in range(2, len(ids)):  # a source in which two characters decide the next but one
        ids[t] = (ids[t - 1] + ids[t - 2]) % 3 if rng.random() < 0.8 else rng.integers(3)
    share = np.array([0.8 + 0.2 / 3, 0.2 / 3, 0.2 / 3])
    entropy = -np.sum(share * np.log(share))
    assert characters.trigram_loss(ids, 36_000, 3) == pytest.approx(entropy, abs=0.02)


def test_trigrams_are_a_distribution(characters):
    ids = np.random.default_rng(1).integers(0, 4, 200)
    for seen in ([0, 1], [3, 3]):
        total = 0.0
        for c in range(4):
            parts, _ = characters.distributions(ids, np.array([*seen, c]), 4)
            total = total + parts[0]
        np.testing.assert_allclose(total, 1, atol=1e-12)


@pytest.mark.deep
@pytest.mark.parametrize("name", ["lstm", "gpt"])
def test_a_model_learns_a_short_text(characters, name, tmp_path, capsys):
    small = {"lstm": {"D": 6, "H": 24}, "gpt": {"D": 16, "F": 32}}[name]
    run = replace(characters.RUNS[name], sizes=small, window=16, batch=8, stages=((8, 3e-2),))
    status = characters.main([name], tmp_path, TEXT, {name: run})
    told = capsys.readouterr().out
    assert "nats a character" in told and (tmp_path / f"{name}_characters.py").exists()
    losses = [float(line.split("= ")[1]) for line in told.splitlines() if "Epoch" in line]
    assert losses[-1] < losses[0] / 2
    assert status in (0, 1)  # trigrams learn so short a text too
    written = told.split("of processor time\n")[1].rstrip("\n")
    assert len(written) == 400 and set(written) <= set(TEXT)


@pytest.mark.deep
def test_lenet5_learns_a_few_digits(tmp_path, capsys):
    status = load_file(EXAMPLES / "lenet5.py").main(tmp_path, ((4, 4e-3),), 300)
    told = capsys.readouterr().out
    losses = [float(line.split("= ")[1]) for line in told.splitlines() if "Epoch" in line]
    assert losses[-1] < losses[0] / 2
    assert "of 60 held-out digits are right" in told and status in (0, 1)


def test_the_text_is_found(characters):
    text, source = characters.find_text()
    assert len(text) > 10_000 and source
