"""What `make demo` runs: it reads at least 95 % of digits that training never saw."""

from pathlib import Path

import numpy as np
import pytest

from symprop.files.load import load_file
from symprop.files.write import status_of

DEMO = Path(__file__).parent.parent / "examples" / "digits.py"
LEFT = ("digits.tex", "digits.py", "digits_check.txt", "digits_params.npz")
PICTURES = ("digits_loss.png", "digits_worst.png")


@pytest.mark.deep
def test_the_demo(tmp_path, capsys):
    demo = load_file(DEMO)
    assert demo.main(tmp_path) == 0
    told = capsys.readouterr().out
    assert "6 of 6 gradients agree" in told and "held-out digits are right: 9" in told
    for name in (*LEFT, *PICTURES):
        assert status_of(tmp_path / name) == "ours", name
    with np.load(tmp_path / "digits_params.npz") as params:
        assert params["W1"].shape == (64, 64) and params["W3"].shape == (32, 10)
    assert demo.main(tmp_path) == 0  # what it wrote, it may write again


def test_the_held_out_digits_are_drawn_once_and_never_trained_on():
    training, held_out = load_file(DEMO).load_data()
    assert len(training["X"]) + len(held_out["X"]) == 1797 and len(held_out["X"]) == 359
    seen = {row.tobytes() for row in training["X"]}
    assert sum(row.tobytes() in seen for row in held_out["X"]) == 0
    assert all(np.allclose(part["Y"].sum(axis=1), 1) for part in (training, held_out))
