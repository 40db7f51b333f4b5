"""The graphs of a derivation: forward, backward, the training loop.

In: a system and its adjoint equations. Out: a `Graph`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symprop.algebra.expr import ADJOINT, Expr, adjoint
from symprop.derive.matrix import matrix_form
from symprop.emit import latex, text
from symprop.emit.called import Called
from symprop.emit.figure.graph import Arrow, Box, Graph
from symprop.emit.figure.groups import Group, groups, live
from symprop.emit.latex_names import escape
from symprop.emit.letters import equation_letters
from symprop.emit.matrix_printer import MatrixPrinter
from symprop.emit.notation import Notation
from symprop.emit.printer import Printer
from symprop.emit.words import ENGLISH, words
from symprop.system import Adjoint, Equation, System

LONGEST = 30  # columns of a formula that stands in a box
FEW = 3  # names that are listed; of more, the rest is counted


@dataclass(frozen=True)
class Line:
    """One line of a box, in Unicode and in LaTeX."""

    plain: str
    latex: str


class Labels:
    """Words, names, shapes and formulas in both notations."""

    def __init__(
        self, system: System, names: Mapping[str, str] | Called | None, language: str
    ) -> None:
        self.system = system
        self.say = words(language)
        self.plain: Notation = text.notation(system, names)
        self.latex: Notation = latex.notation(system, names)

    def name(self, array: str) -> Line:
        """What an array is called."""
        return Line(self.plain.array(array).text, f"${self.latex.array(array).text}$")

    def names(self, arrays: Sequence[str]) -> Line:
        """Several names; of many, what they begin with, or the first few."""
        common = _beginning(arrays).rpartition("_")[0].removeprefix(ADJOINT)
        if len(arrays) > FEW and common:
            said = f"{common}_… ({len(arrays)})"
            begun = Line(said, self.escaped(said.replace("…", "...")))
            return self.words("adjoints_of", begun) if arrays[0].startswith(ADJOINT) else begun
        shown = [self.name(a) for a in arrays[:FEW]]
        more = len(arrays) - len(shown)
        plain, tex = (", ".join(getattr(s, k) for s in shown) for k in ("plain", "latex"))
        return Line(plain + f", … ({len(arrays)})", rf"{tex}, \dots\ ({len(arrays)})") if more \
            else Line(plain, tex)

    def plainly(self, said: str) -> Line:
        """What is not worded, such as a number."""
        return Line(said, self.escaped(said))

    def escaped(self, said: str) -> str:
        """Words for the TeX of the language."""
        return escape(said, self.say.every_letter)

    def words(self, key: str, name: Line | None = None) -> Line:
        """Words, with a name in them if there is one."""
        if name is None:
            return self.plainly(self.say(f"figure.{key}"))
        return Line(*(self.say(f"figure.{key}", name=shown) for shown in (name.plain, name.latex)))

    def shape(self, array: str) -> Line:
        """The sizes of an array's axes."""
        sizes = self.system.arrays[array.removeprefix(ADJOINT)].shape
        parts = [_factor(Printer(to, {}).expr(s).text, len(s.terms) > 1 and len(sizes) > 1)
                 for to in (self.plain, self.latex) for s in sizes]
        half = len(parts) // 2
        if not sizes:
            return Line("", "")
        return Line(" × ".join(parts[:half]), "$" + r" \times ".join(parts[half:]) + "$")

    def size(self, size: Expr) -> Line:
        """A size."""
        plain, tex = (Printer(to, {}).expr(size).text for to in (self.plain, self.latex))
        return Line(plain, f"${tex}$")

    def formula(self, equation: Equation | Adjoint) -> Line:
        """The array and what it is, where that is short; else the array alone."""
        form = matrix_form(equation, self.system.arrays)
        name = self.name(equation.array)
        if form is None:
            return name
        letters = equation_letters(self.system, equation)
        plain, tex = (MatrixPrinter(to, letters).form(form).text
                      for to in (self.plain, self.latex))
        if len(plain) + len(name.plain) > LONGEST:
            return name
        return Line(f"{name.plain} = {plain}", f"{name.latex[:-1]} = {tex}$")


def _beginning(names: Sequence[str]) -> str:
    """The letters that all names begin with."""
    first, last = min(names), max(names)
    same = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
                min(len(first), len(last)))
    return first[:same]


def _factor(size: str, several: bool) -> str:
    return f"({size})" if several else size


def beside(*lines: Line, by: str = " ") -> Line:
    """Lines that stand beside each other; empty ones are left out."""
    kept = [line for line in lines if line.plain]
    return Line(by.join(k.plain for k in kept), by.join(k.latex for k in kept))


def box(key: str, kind: str, *lines: Line) -> Box:
    """A box of those lines that say something."""
    kept = [line for line in lines if line.plain]
    return Box(key, kind, tuple(k.plain for k in kept), tuple(k.latex for k in kept))


def forward(
    system: System, names: Mapping[str, str] | Called | None = None, language: str = ENGLISH
) -> Graph:
    """Inputs, parameters, values, the loss."""
    labels, owner, equations = Labels(system, names, language), groups(system), live(system)
    readers: dict[str, list[str]] = {}
    for equation in equations:
        for array in equation.reads:
            readers.setdefault(array, []).append(owner[equation.array].key)
    given: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, declared in system.arrays.items():
        if declared.kind == "input" and name in readers:
            kind = "parameter" if name in system.wrt else "input"
            given.setdefault((kind, tuple(dict.fromkeys(readers[name]))), []).append(name)
    boxes, arrows = [], []
    for (kind, ends), several in given.items():
        lines = [labels.names(several)]
        if len(several) == 1:
            lines.append(labels.shape(several[0]))
        apart = kind == "parameter" and len(ends) > FEW  # a box beside each of its readers
        for copy in ends if apart else ("",):
            key = f"{several[0]} {copy}".strip()
            boxes.append(box(key, kind, *lines))
            arrows += [Arrow(key, end) for end in ((copy,) if apart else ends)]
    by_array = {e.array: e for e in equations}
    outside = [system.loss, *(a for _, a in system.outputs)]
    for group in dict.fromkeys(owner[e.array] for e in equations):
        leaving = [a for a in group.arrays if a in outside or any(
            k != group.key for k in readers.get(a, ()))]
        kind = "loss" if system.loss in group.arrays else \
            "block" if len(group.arrays) > 1 else "value"
        if len(group.arrays) == 1:
            own = by_array[group.arrays[0]]
            lines = [labels.formula(own),
                     beside(labels.plainly(f"({own.number})"), labels.shape(own.array))]
        else:
            lines = [_title(group, labels),
                     beside(labels.names(leaving), labels.shape(leaving[0]),
                            by=labels.say("mark.colon"))]
        boxes.append(replace(box(group.key, kind, *lines), several=group.count > 1))
        reads = dict.fromkeys(owner[a].key for array in group.arrays
                              for a in by_array[array].reads if a in owner)
        arrows += [Arrow(start, group.key) for start in reads if start != group.key]
    return Graph(labels.say("figure.forward", name=system.name), tuple(boxes), tuple(arrows),
                 language)


def _title(group: Group, labels: Labels) -> Line:
    """What a box of several equations is called."""
    called = group.function.strip("_") or labels.say("figure.recurrence")
    times = f" × {group.count}" if group.count > 1 else ""
    loop = Line("", "")
    if group.loop is not None:
        size = labels.size(group.loop)
        loop = Line(f" × {size.plain}", rf" $\times {size.latex[1:]}")
    tex = rf" $\times {group.count}$" if times else ""
    return Line(called + times + loop.plain, labels.escaped(called) + tex + loop.latex)


def backward(
    system: System, adjoints: Sequence[Adjoint], names: Mapping[str, str] | Called | None = None,
    language: str = ENGLISH,
) -> Graph:
    """The loss, the adjoints that are computed, the gradients of the parameters."""
    labels, owner = Labels(system, names, language), groups(system)
    wanted = _needed(system, adjoints)
    seed = adjoint(system.loss)
    keys = {a.array: owner[a.primal].key if a.primal in owner else a.array for a in wanted}
    members: dict[str, list[Adjoint]] = {}
    for one in wanted:
        if one.array != seed:
            members.setdefault(keys[one.array], []).append(one)
    ends = {one.array for one in wanted if one.primal in system.wrt}
    read = {a for one in wanted for a in one.reads}
    merged: dict[tuple[str, ...], list[str]] = {}
    start = "the loss"
    boxes = [box(start, "loss", labels.name(system.loss), labels.words("seed"))]
    arrows: list[Arrow] = []
    for key, several in members.items():
        sources = dict.fromkeys(
            keys[a] for one in several for a in one.reads if a in keys and a != seed)
        sources.pop(key, None)
        zero = all(one.rhs.is_zero for one in several)
        behind = tuple(sources) or (() if zero else (start,))
        if len(several) == 1 and several[0].array in ends - read:
            merged.setdefault(behind, []).append(several[0].array)
            continue
        boxes.append(_adjoint_box(key, several, owner, labels))
        arrows += [Arrow(source, key) for source in behind]
    for behind, several_names in merged.items():
        key = several_names[0]
        lines = [labels.names(several_names)]
        if not behind:
            lines.append(labels.words("zero"))
        elif len(several_names) == 1:
            lines = _alone(next(m for m in wanted if m.array == key), labels)
        boxes.append(box(key, "gradient", *lines))
        arrows += [Arrow(source, key) for source in behind]
    return _without_circles(Graph(labels.say("figure.backward", name=system.name),
                                  tuple(boxes), tuple(arrows), language))


def _adjoint_box(
    key: str, several: Sequence[Adjoint], owner: Mapping[str, Group], labels: Labels
) -> Box:
    if len(several) == 1:
        return box(key, "adjoint", *_alone(several[0], labels))
    group = owner[several[0].primal]
    own = box(key, "block", labels.words("block_backward", _title(group, labels)),
              labels.names([one.array for one in several]))
    return replace(own, several=group.count > 1)


def _alone(one: Adjoint, labels: Labels) -> list[Line]:
    return [labels.formula(one), beside(labels.plainly(f"({one.number})"), labels.shape(one.array))]


def _needed(system: System, adjoints: Sequence[Adjoint]) -> list[Adjoint]:
    """The adjoint equations that the gradients need, in their order."""
    table = {a.array: a for a in adjoints if not a.inlined}
    needed: set[str] = set()
    todo = [adjoint(w) for w in system.wrt]
    while todo:
        array = todo.pop()
        if array in table and array not in needed:
            needed.add(array)
            todo += table[array].reads
    return [a for a in adjoints if a.array in needed]


def _without_circles(graph: Graph) -> Graph:
    """Boxes in an order in which each reads those before it; what reads on is drawn back."""
    place = {b.key: k for k, b in enumerate(graph.boxes)}
    return replace(graph, arrows=tuple(
        Arrow(a.start, a.end, back=place[a.start] > place[a.end]) for a in graph.arrows))


def training(
    system: System, names: Mapping[str, str] | Called | None = None, language: str = ENGLISH
) -> Graph:
    """The loop: forward, loss, backward, update, again."""
    labels = Labels(system, names, language)
    inputs = [n for n, a in system.arrays.items() if a.kind == "input" and n not in system.wrt]
    loss = labels.name(system.loss)
    first = system.wrt[0]
    weight, slope = labels.name(first), labels.name(adjoint(first))
    step = Line(f"{weight.plain} ← {weight.plain} - η {slope.plain}",
                rf"{weight.latex[:-1]} \leftarrow {weight.latex[1:-1]} - \eta\, {slope.latex[1:]}")
    alike = labels.words("others") if len(system.wrt) > 1 else Line("", "")
    boxes = [
        box("parameters", "parameter", labels.words("parameters"), labels.names(system.wrt)),
        box("forward", "action", labels.words("forward_pass"),
            labels.words("keeps")),
        box("loss", "loss", labels.words("loss", loss)),
        box("backward", "action", labels.words("backward_pass"),
            labels.names([adjoint(w) for w in system.wrt])),
        box("update", "action", labels.words("update"), step, alike),
        box("trained", "parameter", labels.words("trained")),
    ]
    arrows = [
        Arrow("parameters", "forward"), Arrow("forward", "loss"), Arrow("loss", "backward"),
        Arrow("backward", "update"),
        Arrow("update", "parameters", back=True, words=labels.say("figure.again")),
        Arrow("update", "trained", words=labels.say("figure.until")),
    ]
    if inputs:
        boxes.insert(0, box("batch", "input", labels.words("batch"), labels.names(inputs)))
        arrows.insert(0, Arrow("batch", "forward"))
    return Graph(labels.say("figure.training", name=system.name), tuple(boxes), tuple(arrows),
                 language)


def keys_of(boxes: Iterable[Box]) -> dict[str, str]:
    """Short names for boxes, legal in every format: n1, n2, ..."""
    return {b.key: f"n{k}" for k, b in enumerate(boxes, 1)}
