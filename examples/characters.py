"""Character language models: an LSTM and a GPT in generated NumPy against a trigram model.

In: the help texts of Python's own `help()` (pydoc_data.topics), or a licence text where they are
missing. The last tenth is held out. Out, for the models named on the command line (both by
default): the loss on the held-out tenth in nats a character beside that of a trigram model of the
same training text, and a text that the model goes on to write. In the folder `build`:

    lstm_characters.py, gpt_characters.py    the standalone modules that did the work

Ends with status 1 if a model is not better than the trigrams.
"""

import sys
import sysconfig
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

import symprop
from symprop.files.write import make_folder
from symprop.train.signature import leaves_of
from symprop.zoo import models

LICENCES = ("/usr/share/common-licenses/GPL-3", f"{sysconfig.get_path('stdlib')}/LICENSE.txt")


@dataclass(frozen=True)
class Run:
    """How a model of the zoo is trained: its sizes, the length of a window, epochs at each lr."""

    sizes: dict
    window: int
    batch: int
    stages: tuple
    static: dict


RUNS = {
    "lstm": Run({"D": 32, "H": 192}, 64, 32, ((3, 4e-3), (1, 1e-3)), {}),
    "gpt": Run({"D": 64, "F": 256}, 64, 16, ((3, 3e-3), (1, 6e-4)), {"heads": 4}),
}


def main(names=tuple(RUNS), folder="build", text=None, runs=RUNS):
    """Train the models, compare them with trigrams; return the exit status."""
    text, source = (text, "the text given") if text else find_text()
    characters = sorted(set(text))
    ids = np.array([characters.index(c) for c in text])
    start = len(ids) * 9 // 10
    print(f"The text: {source}; {len(ids):,} characters, {len(characters)} of them different.")
    bound = trigram_loss(ids, start, len(characters))
    print(f"Smoothed trigrams on the last tenth:  {bound:.4f} nats a character\n")
    better = True
    for name in names:
        began = time.perf_counter(), time.process_time()
        model = MODELS[name](name, runs[name], len(characters), folder)
        model.train(ids[:start])
        loss = model.loss(ids, start)
        better &= loss < bound
        print(f"{name} on the last tenth:  {loss:.4f} nats a character (trigrams {bound:.4f}), "
              f"after {time.perf_counter() - began[0]:.0f} s, "
              f"{time.process_time() - began[1]:.0f} s of processor time")
        written = model.write(ids[start - model.run.window : start], 400)
        print("".join(characters[i] for i in written))
        print()
    return 0 if better else 1


def find_text():
    """The help texts of this Python, or else a licence text; and what it is."""
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError:  # some distributions leave it out
        found = next((Path(p) for p in LICENCES if Path(p).exists()), None)
        if found is None:
            raise SystemExit("no text was found: neither pydoc_data.topics nor a licence") from None
        return found.read_text(encoding="utf-8"), str(found)
    version = ".".join(map(str, sys.version_info[:3]))
    return "\n".join(topics[k] for k in sorted(topics)), f"pydoc_data.topics of Python {version}"


# ---- the model to beat ----------------------------------------------------------------------


def trigram_loss(ids, start, M):
    """Interpolated trigrams (Jelinek and Mercer 1980) of ids[:start] on the rest.

    The weights of trigram, bigram, unigram and uniform distribution depend on how often the
    two characters before were seen, and are fitted by EM on the last tenth of the training text.
    """
    cut = start * 9 // 10
    weights = np.full((16, 4), 0.25)
    parts, group = distributions(ids[:cut], ids[cut - 2 : start], M)
    for _ in range(50):
        shares = weights[group] * parts
        shares /= shares.sum(axis=1, keepdims=True)
        for g in np.unique(group):
            weights[g] = shares[group == g].mean(axis=0)
    parts, group = distributions(ids[:start], ids[start - 2 :], M)
    return -np.mean(np.log((weights[group] * parts).sum(axis=1)))


def distributions(train, text, M):
    """Four probabilities of text[2:], and the group of its counts (a power of 2)."""
    a, b, c = text[:-2], text[1:-1], text[2:]
    one = np.bincount(train, minlength=M)
    two = np.bincount(train[:-1] * M + train[1:], minlength=M * M).reshape(M, M)
    three = (train[:-2] * M + train[1:-1]) * M + train[2:]
    three = np.bincount(three, minlength=M**3).reshape(M, M, M)
    seen = three.sum(axis=2)[a, b]
    parts = (
        three[a, b, c] / np.maximum(seen, 1),
        two[b, c] / np.maximum(two.sum(axis=1)[b], 1),
        one[c] / len(train),
        np.full(len(c), 1 / M),
    )
    return np.stack(parts, axis=1), np.minimum(np.ceil(np.log2(seen + 1)).astype(int), 15)


# ---- the networks ---------------------------------------------------------------------------


class Network:
    """A language model of the zoo: derived, generated, trained in float32."""

    def __init__(self, name, run, M, folder):
        """Derive the gradients and write the module."""
        self.run, model = run, models()[name]
        system = symprop.trace(model.function, wrt=model.wrt, static=run.static)
        path = make_folder(folder) / f"{name}_characters.py"
        self.module = symprop.generate(system, path, force=True)
        self.sizes = {**run.sizes, "M": M}
        print(f"{name}: {len(self.module.source.splitlines())} lines of NumPy -> {path}")

    def train(self, ids):
        """Train with Adam on windows of the text, at a falling learning rate."""
        params = self.start(np.random.default_rng(0))
        count = sum(a.size for a in leaves_of(params).values())
        print(f"{name_of(self)} has {count:,} parameters")
        for stage, (epochs, lr) in enumerate(self.run.stages):
            result = symprop.train(
                self.module, self.data(ids), init=params, optimizer="adam", lr=lr, epochs=epochs,
                batch=self.run.batch, batch_axis="N", seed=stage)
            params = result.params
        self.params = params


class Lstm(Network):
    """The state runs through the whole text, in training from 0 in every window."""

    def start(self, rng):
        """Scaled normal weights; a forget gate that starts open."""
        M, D, H = (self.sizes[k] for k in "MDH")
        bias = np.zeros(4 * H, np.float32)
        bias[H : 2 * H] = 1
        return {"E": normal(rng, 0.3, M, D), "U": normal(rng, D**-0.5, D, 4 * H),
                "V": normal(rng, H**-0.5, H, 4 * H), "b": bias,
                "W": normal(rng, H**-0.5, H, M), "d": np.zeros(M, np.float32)}

    def data(self, ids):
        """Windows as columns, time first, and a first state of zeros for each."""
        read, following = windows(ids, self.run.window)
        return {"text": read.T, "following": following.T, **self.state(len(read))}

    def state(self, N):
        """The state before a text."""
        zeros = np.zeros((N, self.sizes["H"]), np.float32)
        return {"h0": zeros, "c0": zeros}

    def read(self, ids, state):
        """The logits after every character, and the state after the last."""
        out = self.module.predict(text=ids[:, None], **state, **self.params)
        return out["logits"][:, 0], {"h0": out["h_last"], "c0": out["c_last"]}

    def loss(self, ids, start):
        """The mean loss of ids[start:], each character after all before it."""
        state, losses = self.state(1), []
        for first in range(start - 1000, len(ids) - 1, 500):
            piece = ids[first : first + 501]
            logits, state = self.read(piece[:-1], state)
            losses.append(surprise(logits, piece[1:]))
        return np.mean(np.concatenate(losses)[999:])

    def write(self, ids, count):
        """Draw `count` characters that go on from ids."""
        rng = np.random.default_rng(1)
        logits, state = self.read(ids, self.state(1))
        for _ in range(count):
            drawn = draw(logits[-1], rng)
            yield drawn
            logits, state = self.read(np.array([drawn]), state)


class Gpt(Network):
    """Sees one window of the text at a time."""

    def start(self, rng):
        """Normal weights, those into the residual sum smaller; gains of 1."""
        M, D, F, C = self.sizes["M"], self.sizes["D"], self.sizes["F"], self.run.window
        block = lambda: {  # noqa: E731
            "g1": np.ones(D), "b1": np.zeros(D), "Wq": normal(rng, 0.1, D, D),
            "Wk": normal(rng, 0.1, D, D), "Wv": normal(rng, 0.1, D, D),
            "Wo": normal(rng, 0.02, D, D), "bo": np.zeros(D),
            "g2": np.ones(D), "b2": np.zeros(D), "W1": normal(rng, 0.1, D, F),
            "c1": np.zeros(F), "W2": normal(rng, 0.02, F, D), "c2": np.zeros(D)}
        blocks = [{k: np.float32(a) for k, a in block().items()} for _ in range(2)]
        return {"E": normal(rng, 0.05, M, D), "P": normal(rng, 0.02, C, D), "blocks": blocks,
                "g": np.ones(D, np.float32), "b": np.zeros(D, np.float32),
                "W": normal(rng, 0.05, D, M)}

    def data(self, ids):
        """Windows as rows."""
        read, following = windows(ids, self.run.window)
        return {"tok": read, "following": following}

    def read(self, rows):
        """The logits after every character of every row."""
        return self.module.predict(tok=rows, **self.params)["logits"]

    def loss(self, ids, start):
        """The mean loss of ids[start:], each character after at least half a window."""
        C = self.run.window
        half = C // 2
        firsts = range(start - half - 1, len(ids) - 1, half)
        padded = np.concatenate([ids, np.zeros(C, ids.dtype)])
        rows = np.stack([padded[first : first + C] for first in firsts])
        targets = np.stack([padded[first + half + 1 : first + C + 1] for first in firsts])
        logits = np.concatenate([self.read(part) for part in np.array_split(rows, 16)])
        losses = surprise(logits[:, half:].reshape(-1, logits.shape[2]), targets.ravel())
        return np.mean(losses[: len(ids) - start])

    def write(self, ids, count):
        """Draw `count` characters that go on from ids."""
        rng, seen = np.random.default_rng(1), list(ids)
        for _ in range(count):
            logits = self.read(np.array(seen[-self.run.window :])[None])
            seen.append(draw(logits[0, -1], rng))
            yield seen[-1]


MODELS = {"lstm": Lstm, "gpt": Gpt}


def name_of(network):
    """The name of a model, as a sentence begins."""
    return type(network).__name__.upper()


def normal(rng, scale, *shape):
    """Normal numbers in float32."""
    return (scale * rng.normal(size=shape)).astype(np.float32)


def windows(ids, length):
    """Windows side by side, and the character that follows each of theirs."""
    count = (len(ids) - 1) // length
    return (ids[: count * length].reshape(count, length),
            ids[1 : count * length + 1].reshape(count, length))


def surprise(logits, targets):
    """-log p of each target."""
    logits = logits.astype(np.float64)
    top = logits.max(axis=1)
    total = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    return total - logits[np.arange(len(targets)), targets]


def draw(logits, rng):
    """One character from the distribution."""
    p = np.exp(logits.astype(np.float64) - logits.max())
    return int(rng.choice(len(p), p=p / p.sum()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or tuple(RUNS)))
