"""Matt Mazur's network in numbers: two inputs, two hidden and two output neurons.

Prints every value of "A Step by Step Backpropagation Example"; the biases stay as they are.
"""

import numpy as np

import symprop

NUMBERS = {
    "x": [0.05, 0.10], "t": [0.01, 0.99],
    "W1": [[0.15, 0.20], [0.25, 0.30]], "b1": 0.35,
    "W2": [[0.40, 0.45], [0.50, 0.55]], "b2": 0.60,
}
WRT = ("W1", "W2")


def error(x: "2", t: "2", W1: "2 2", b1: "", W2: "2 2", b2: ""):
    """Half the squared distance of two outputs to their targets."""
    net_h = W1 @ x + b1
    out_h = symprop.nn.sigmoid(net_h)
    net_o = W2 @ out_h + b2
    out_o = symprop.nn.sigmoid(net_o)
    return 0.5 * np.sum((t - out_o) ** 2)


def main() -> None:
    """Print the worked example."""
    derivation = symprop.derive(symprop.trace(error, wrt=WRT))
    print(derivation.worked_example(NUMBERS, step=0.5, precision=9), end="")


if __name__ == "__main__":
    main()
