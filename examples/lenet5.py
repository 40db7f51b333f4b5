"""LeNet-5 reads handwritten digits, in generated NumPy.

In: the 1,797 digits of 8 x 8 pixels that ship with scikit-learn; the network enlarges them to
32 x 32 itself (`lenet5` in `symprop/zoo/convolutional.py`). Out: `lenet5.py`, the standalone
module, in the folder `build` (or the one named on the command line), and how many of the held-out
digits it reads.

Ends with status 1 if fewer than 97 % of the held-out digits are read right.
"""

import sys
import time

import numpy as np
from sklearn.datasets import load_digits

import symprop
from symprop.files.write import make_folder
from symprop.zoo import models

GOAL = 0.97
STAGES = ((10, 2e-3), (5, 5e-4))  # epochs, learning rate


def main(folder="build", stages=STAGES, count=None):
    """Derive, generate, train, read; return the exit status. `count` digits, or all."""
    began = time.process_time()
    model = models()["lenet5"]
    path = make_folder(folder) / "lenet5.py"
    module = symprop.generate(symprop.trace(model.function, wrt=model.wrt), path, force=True)
    print(f"lenet5: {len(module.source.splitlines())} lines of NumPy -> {path}")
    training, held_out = load_data(count)
    params = "glorot"
    for stage, (epochs, lr) in enumerate(stages):
        result = symprop.train(
            module, training, init=params, optimizer="adam", lr=lr, batch=32, epochs=epochs,
            l2=1e-4, seed=stage)
        params = result.params
    answers = module.predict(X=held_out["X"], **params)["logits"].argmax(axis=1)
    right = int((answers == held_out["y"]).sum())
    accuracy = right / len(answers)
    print(f"{right} of {len(answers)} held-out digits are right: {accuracy:.1%} "
          f"({time.process_time() - began:.0f} s of processor time)")
    return 0 if accuracy >= GOAL else 1


def load_data(count=None):
    """Return the digits to train on and a fifth of them, drawn at random, held out."""
    source = load_digits()
    X, y = np.float32(source.images[:count] / 16), source.target[:count]
    order = np.random.default_rng(0).permutation(len(X))
    held, kept = order[: len(X) // 5], order[len(X) // 5 :]
    return {"X": X[kept], "y": y[kept]}, {"X": X[held], "y": y[held]}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
