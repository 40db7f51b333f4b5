"""Four ways to train one network: backpropagation and three rules that are not the gradient.

In: the 1,797 digits that ship with scikit-learn, and the forward pass below, plain NumPy. Out, in
the folder `build` (or the one named on the command line), for each rule

    feedback_fa.tex    where it departs from the gradient, step by step
    feedback_fa.py     the standalone module

and a table: held-out accuracy, and the angle between each layer's update and its true gradient at
the start and at the end. Ends with status 1 if a rule reads fewer than 95 % of the held-out digits,
or if an angle does not fall below a right one.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

import symprop
from symprop.files.write import make_folder, write_text

RULES = {
    None: "backpropagation",
    "fa": "feedback alignment",
    "dfa": "direct feedback alignment",
    "dtp": "difference target propagation",
}
SIZES = {"H": 64, "G": 48, "F": 32}
EPOCHS = 20
GOAL, RIGHT_ANGLE = 0.95, 90.0
PARAMETERS = ["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"]


def network(
    X: "N K", Y: "N M",
    W1: "K H", b1: "H", W2: "H G", b2: "G", W3: "G F", b3: "F", W4: "F M", b4: "M",
):
    """Read digits: three hidden layers, cross-entropy from the logits Z."""
    A1 = np.tanh(X @ W1 + b1)
    A2 = np.tanh(A1 @ W2 + b2)
    A3 = np.tanh(A2 @ W3 + b3)
    Z = A3 @ W4 + b4
    return symprop.nn.cross_entropy(Z, Y), {"logits": Z}


def main(folder="build", epochs=EPOCHS):
    """Derive, check and train with each rule; print the table; return the exit status."""
    build = make_folder(folder)
    system = symprop.trace(
        network, wrt=PARAMETERS, facts=[symprop.sums_to_one("Y", axis=1)]
    )
    true = symprop.generate(system)
    training, held_out = load_data()
    print("                               held-out   angle to the gradient, first -> last epoch")
    print("rule                           accuracy   W1          W2          W3          W4")
    good = True
    for short, name in RULES.items():
        module = derive(system, short, build)
        result = symprop.train(
            module, training, sizes=SIZES, optimizer="momentum", lr=0.05, batch=32, epochs=epochs,
            reference=true, log=None,
        )  # fmt: skip
        accuracy = read(module, result, held_out)
        first, last = result.angles[0], result.angles[-1]
        columns = [f"{first[w]:3.0f}° -> {last[w]:2.0f}°" for w in ("W1", "W2", "W3", "W4")]
        print(f"{name:30} {accuracy:7.1%}    {'  '.join(columns)}")
        good = good and accuracy >= GOAL and last["all"] < RIGHT_ANGLE
    return 0 if good else 1


def derive(system, short, build):
    """Write down the derivation and the module of one rule; refuse a module that is not as told."""
    derivation = symprop.derive(system, short)
    if short is not None:
        tex = derivation.latex(standalone=True)
        write_text(build / f"feedback_{short}.tex", tex, force=True)
    path = None if short is None else build / f"feedback_{short}.py"
    module = symprop.generate(derivation, path, force=True)
    report = symprop.check(module)
    if not report.as_designed:
        raise SystemExit(str(report))
    return module


def load_data():
    """Return the digits to train on and every fifth, drawn at random, held out."""
    source = load_digits()
    X, Y = source.data / 16.0, np.eye(10)[source.target]
    order = np.random.default_rng(0).permutation(len(X))
    held, kept = order[: len(X) // 5], order[len(X) // 5 :]
    return {"X": X[kept], "Y": Y[kept]}, {"X": X[held], "Y": Y[held]}


def read(module, result, held_out):
    """Return the share of held-out digits that are read right."""
    logits = module.predict(X=held_out["X"], **result.params)["logits"]
    return float((logits.argmax(axis=1) == held_out["Y"].argmax(axis=1)).mean())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
