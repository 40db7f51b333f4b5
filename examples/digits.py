"""The main job on real input: a network that reads handwritten digits.

In: the 1,797 digits that ship with scikit-learn, and the forward pass below, plain NumPy. Out, in
the folder `build` (or the one named on the command line):

    digits.tex, digits.pdf   the derivation of every gradient (pdf where pdflatex is installed)
    digits.py                the standalone module
    digits_check.txt         its check against finite differences
    digits_params.npz        the trained parameters
    digits_loss.png          how the loss fell
    digits_worst.png         the held-out digits that it reads worst

Ends with status 1 if the check fails or fewer than 95 % of the held-out digits are read right.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits

import symprop
from symprop.files.write import make_folder, write_bytes, write_text
from symprop.train import save_arrays

matplotlib.use("Agg")  # files only, no screen
from matplotlib import pyplot as plt

SIZES = {"H": 64, "G": 32}
GOAL = 0.95
INK, BLUE, ORANGE = "#222222", "#1f5fa8", "#d9730d"


def digits(X: "N K", Y: "N M", W1: "K H", b1: "H", W2: "H G", b2: "G", W3: "G M", b3: "M"):
    """Read digits: two hidden layers, cross-entropy from the logits Z3."""
    A1 = np.tanh(X @ W1 + b1)
    A2 = np.tanh(A1 @ W2 + b2)
    Z3 = A2 @ W3 + b3
    return symprop.nn.cross_entropy(Z3, Y), {"logits": Z3}


def main(folder="build"):
    """Derive, generate, check, train, test; return the exit status."""
    build = make_folder(folder)
    derivation = derive_gradients(build)
    module = symprop.generate(derivation, build / "digits.py", force=True)
    print(f"2. Generate  {len(module.source.splitlines())} lines of NumPy -> {build / 'digits.py'}")
    report = check_gradients(module, build)
    training, held_out = load_data()
    result = train_network(module, training, build)
    accuracy = read_held_out(module, result, held_out, build)
    if not report.passed:
        print("The check FAILED: the gradients are wrong.", file=sys.stderr)
    if accuracy < GOAL:
        print(f"The accuracy is below {GOAL:.0%}.", file=sys.stderr)
    return 0 if report.passed and accuracy >= GOAL else 1


def derive_gradients(build):
    """Trace the forward pass, derive all gradients, write the derivation down."""
    system = symprop.trace(
        digits,
        wrt=["W1", "b1", "W2", "b2", "W3", "b3"],
        facts=[symprop.sums_to_one("Y", axis=1)],
    )
    derivation = symprop.derive(system)
    tex = derivation.latex(standalone=True)
    write_text(build / "digits.tex", tex, force=True)
    made = "digits.tex and digits.pdf" if write_pdf(tex, build / "digits.pdf") else "digits.tex"
    print(f"1. Derive    {len(derivation.gradients)} gradients in {len(derivation.steps)} steps,")
    print(f"             each verified on random tensors -> {build}/{made}")
    return derivation


def check_gradients(module, build):
    """Compare the module with finite differences."""
    report = symprop.check(module)
    write_text(build / "digits_check.txt", f"{report}\n", force=True)
    passed = sum(row.passed for row in report.rows)
    print(f"3. Check     {passed} of {len(report.rows)} gradients agree with finite differences")
    print(f"             -> {build / 'digits_check.txt'}")
    return report


def load_data():
    """Return the digits to train on and every fifth, drawn at random, held out."""
    source = load_digits()
    X, Y = source.data / 16.0, np.eye(10)[source.target]
    order = np.random.default_rng(0).permutation(len(X))
    held, kept = order[: len(X) // 5], order[len(X) // 5 :]
    return {"X": X[kept], "Y": Y[kept]}, {"X": X[held], "Y": Y[held]}


def train_network(module, training, build):
    """Train with Adam; write the parameters and a picture of the loss."""
    count = len(training["X"])
    print(f"4. Train     on {count} digits of 8 x 8 pixels; a tenth of them validates")
    result = symprop.train(
        module,
        training,
        sizes=SIZES,
        optimizer="adam",
        lr=3e-3,
        batch=32,
        epochs=40,
        l2=1e-4,
        validation=0.1,
        log=every_fifth,
    )
    save_arrays(build / "digits_params.npz", result.arrays, force=True)
    write_bytes(build / "digits_loss.png", loss_curve(result), force=True)
    print(f"             -> {build}/digits_params.npz and digits_loss.png")
    return result


def every_fifth(line):
    """Print the line of every fifth epoch."""
    epoch = line.split(":")[0].removeprefix("Epoch ")
    if not epoch.isdigit() or int(epoch) % 5 == 0 or epoch == "1":
        print(f"             {line}")


def read_held_out(module, result, held_out, build):
    """Let `predict` read digits that training never saw; return the share of right answers."""
    logits = module.predict(X=held_out["X"], **result.params)["logits"]
    answers, truth = logits.argmax(axis=1), held_out["Y"].argmax(axis=1)
    accuracy = float((answers == truth).mean())
    write_bytes(build / "digits_worst.png", worst(held_out["X"], logits, truth), force=True)
    right = int((answers == truth).sum())
    print(f"5. Predict   {right} of {len(truth)} held-out digits are right: {accuracy:.1%}")
    print(f"             -> {build / 'digits_worst.png'}")
    return accuracy


def loss_curve(result):
    """Draw the loss of each epoch; return the bytes of a png file."""
    epochs = np.arange(1, result.epochs + 1)
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    curves = [(result.losses, BLUE, "training"), (result.validation_losses, ORANGE, "validation")]
    for losses, colour, name in curves:
        axes.plot(epochs, losses, color=colour, linewidth=2)
        axes.annotate(
            name,
            (epochs[-1], losses[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    axes.set(yscale="log", xlabel="epoch", ylabel="cross-entropy", xlim=(0, len(epochs) * 1.16))
    axes.set_title("Handwritten digits: the loss falls", loc="left", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)
    return png(figure)


def worst(images, logits, truth, count=12):
    """Draw the digits whose true class trails the best other one most."""
    rows = np.arange(len(truth))
    others = logits.copy()
    others[rows, truth] = -np.inf
    margin = logits[rows, truth] - others.max(axis=1)
    figure, grid = plt.subplots(2, count // 2, figsize=(9, 3.9), layout="constrained")
    for axes, row in zip(grid.flat, np.argsort(margin, kind="stable")[:count], strict=True):
        wrong = margin[row] < 0
        axes.imshow(images[row].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        verdict = f"read as {logits[row].argmax()}" if wrong else "barely right"
        axes.set_title(f"a {truth[row]}, {verdict}", fontsize=10, color=ORANGE if wrong else INK)
        axes.set(xticks=[], yticks=[])
    figure.suptitle("The held-out digits that it reads worst (errors in orange)", color=INK)
    return png(figure)


def png(figure):
    """Return a figure as the bytes of a png file, the same on every run."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def write_pdf(tex, path):
    """Compile the derivation; return False where there is no pdflatex."""
    if shutil.which("pdflatex") is None:
        return False
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "digits.tex"]
    quiet = {**os.environ, "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    with tempfile.TemporaryDirectory() as name:
        Path(name, "digits.tex").write_text(tex, encoding="utf-8")
        for _ in range(2):  # the second run knows the numbers of the equations
            done = subprocess.run(command, cwd=name, env=quiet, stdout=subprocess.DEVNULL)
            if done.returncode:
                raise SystemExit(f"pdflatex cannot compile {path.with_suffix('.tex')}")
        write_bytes(path, Path(name, "digits.pdf").read_bytes(), force=True)
    return True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
