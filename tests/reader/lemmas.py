"""Pages by lemmas: each lemma as a page of its own, and its lines about other lemmas.

In: a page of text or LaTeX. Out: for the program and for each lemma what is left as equations, laid
out as a page without lemmas is, and the lines that are none: `x2 = block(x, W)`, "x̄, W̄ from x̄2 by
Lemma 1". Such a line is no formula: it says which arrays go into the lemma, and which come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reader.tokens import Unreadable


@dataclass(frozen=True)
class Used:
    """left from right by a lemma; forward by its name, back by its number, in turns of a letter.

    `h[l] @ 2 3` is there at turns 2 and 3 only.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    lemma: str
    letter: str = ""
    turns: tuple[int, ...] = ()


@dataclass(frozen=True)
class Part:
    """A lemma, or the program, whose number is 0. given: what it is given, as it is called.

    turns: at which turns an equation holds, by its left side.
    """

    number: int
    name: str
    given: tuple[str, ...]
    page: str
    used: tuple[Used, ...]
    turns: dict[str, tuple[int, ...]]


_NUMBERED = re.compile(r"^\((?:\d+\.)?B\d+\) | ?\((?:\d+\.)?[BF]\d+\)$")
_PULLED = re.compile(r"(.*?)(?: from (.*?))? by Lemma (\d+)")
_SOME = re.compile(r" \(\$?\w = ([\d, .]+)\$?\)")
_TURNS = re.compile(r",\s+(\w) = ([\d, .]+)$")


def text_parts(page: str) -> Iterator[Part]:
    """The lemmas of a page of text, and the program, as they stand."""
    starts = [*re.finditer(r"^Lemma (\d+) \((.*?)\)\. ", page, re.M)]
    program = [m.start() for m in re.finditer(r"^The gradients of ", page, re.M)][-1]
    names = {m[2] for m in starts}
    for match, end in zip(starts, [*(m.start() for m in starts[1:]), program], strict=True):
        head, _, body = page[match.end():end].partition(":\n")
        told = " ".join(head.removeprefix("Given").split())
        given, _, facts = told.partition(", where ")
        body = re.sub(r"^Then, [^:]*?given,\n", "THE GRADIENTS\n", body, flags=re.M)
        body = re.sub(r"^Proof\.$", "BACKWARD", body, flags=re.M)
        assumed = "".join(f"  {k}. {fact}\n" for k, fact in enumerate(
            re.split(r", | and (?=\d ≤)", facts), 1)) if facts else ""
        plain, used, turns = _text_lines(
            f"GIVEN AND SOUGHT\nASSUMED\n{assumed}FORWARD\n{body}", names)
        yield Part(int(match[1]), match[2], _given(given), plain, used, turns)
    plain, used, turns = _text_lines(page[program:], names)
    yield Part(0, "", (), plain, used, turns)


def _given(told: str) -> tuple[str, ...]:
    """x (N × T × D), W (D × (F + 1)) and b: the names alone."""
    while re.search(r" \([^()]*\)", told):
        told = re.sub(r" ?\([^()]*\)", "", told)
    return names_in(told)


def _text_lines(
    page: str, lemmas: set[str]
) -> tuple[str, tuple[Used, ...], dict[str, tuple[int, ...]]]:
    """The equations, the lines that use lemmas, and in which turns equations hold."""
    kept: list[str] = []
    used: list[Used] = []
    held: dict[str, tuple[int, ...]] = {}
    for lines in _gathered(page.splitlines()):
        whole = " ".join(" ".join(lines).split())
        bare = _NUMBERED.sub("", whole).rstrip(".")
        turned = _TURNS.search(bare)
        letter, turns = counted(turned[1], turned[2]) if turned else ("", ())
        said = bare[:turned.start()] if turned else bare
        call = re.fullmatch(r"([^=]*?) = (\w+)\((.*)\)", said)
        if call and call[2] in lemmas:
            used.append(Used(names_in(call[1]), names_in(call[3]), call[2], letter, turns))
        elif re.search(r" by Lemma \d+(;|$)", said):
            used += [Used(names_in(m[1]), names_in(m[2] or ""), m[3], letter, turns)
                     for m in _pulled(said)]
        else:
            if turned:
                held[said.split(" = ")[0].strip()] = turns
                lines = [re.sub(r",  \w = [\d, .]+?(?=$| {2,}\()", "", x) for x in lines]
            kept += lines
    return "\n".join(kept), tuple(used), held


def _gathered(lines: Sequence[str]) -> Iterator[list[str]]:
    """Each line with those that continue it."""
    found: list[str] = []
    for line in lines:
        sentence = found and found[0].startswith("(")
        goes_on = bool(found) and bool(line.strip()) and (
            not line.startswith((" ", "(")) if sentence else
            line.startswith("    ") and found[0].startswith("  ")
            and not line.lstrip().startswith("= "))
        if goes_on:
            found.append(line)
        else:
            if found:
                yield found
            found = [line]
    if found:
        yield found


_HEAD = re.compile(r"Lemma (\d+) \((.*?)\)\. For")


def latex_parts(page: str) -> Iterator[Part]:
    """The lemmas of a page of LaTeX, and the program, as they stand."""
    pieces = re.split(r"^% (?=Lemma \d|The gradients of )", page, flags=re.M)[1:]
    lemmas = {title[2] for piece in pieces if (title := _HEAD.match(piece))}
    for piece in pieces:
        title = _HEAD.match(piece)
        if title is None:
            yield Part(0, "", (), *_latex_lines(piece, lemmas))
            continue
        told = re.search(r"\\noindent Given (.*?):\n", piece)
        given, _, facts = told[1].partition(", where ") if told else ("", "", "")
        assumed = "".join(f"\\item {fact}\n" for fact in re.findall(r"\$[^$]* < [^$]*\$", facts))
        head, _, rest = piece.partition(r"\noindent Given ")
        rest = rest.replace(r"\par\medskip\noindent\emph{Proof.}", r"\sympropsection{Backward}")
        rest = re.sub(r"\\noindent Then, .*", r"\\sympropsection{The gradients}", rest)
        names = [re.sub(r" \(.*", "", n).strip("$") for n in re.split(r", (?=\$)| and ", given)]
        yield Part(int(title[1]), title[2].replace("\\", ""), tuple(names), *_latex_lines(
            f"{head}{assumed}\\sympropsection{{Forward}}\n{rest}", lemmas))


_ALIGN = re.compile(r"(\\begin\{align\*\}\n)(.*?)(\n\\end\{align\*\})", re.S)
_ROW_TURNS = re.compile(r",\\quad (\w) = ([\d, .\\a-z]+?)(?= *(?:\\tag|\\qquad|$))")
_SAID = re.compile(r"^\\noindent (\(\S*?B\d+\)\\quad .*? by Lemma \d+.*|\$.* by Lemma \d+.*)$"
                   r"|^\\sympropequation\{\(\S*?B\d+\)\}\{(.* by Lemma \d+.*)\}$", re.M)


def _latex_lines(
    page: str, lemmas: set[str]
) -> tuple[str, tuple[Used, ...], dict[str, tuple[int, ...]]]:
    used: list[Used] = []
    held: dict[str, tuple[int, ...]] = {}
    called = "|".join(re.escape(name) for name in sorted(lemmas, key=len, reverse=True))
    call = re.compile(rf"^(.*?) &= (?:\\textstyle )?\\mathrm\{{({called})\}}\((.*)\)$")

    def equations(env: re.Match[str]) -> str:
        kept: list[str] = []
        rows: list[str] = []
        for row in re.split(r" *\\\\\s*\n", env[2]):
            goes_on = row.strip().startswith("&") and not row.strip().startswith("&=")
            if goes_on and rows:
                rows[-1] += " \\\\\n" + row
            else:
                rows.append(row)
        for row in rows:
            bare = re.sub(r"\\tag\{.*?\}", "", " ".join(row.replace("\\\\\n", " ").replace(
                r"&\quad", " ").split())).strip()
            turned = _ROW_TURNS.search(bare)
            letter, turns = counted(turned[1], turned[2]) if turned else ("", ())
            found = call.match(bare[:turned.start()] if turned else bare)
            if found:
                used.append(Used(names_in(found[1]), names_in(found[3]),
                                 found[2].replace("\\", ""), letter, turns))
            else:
                if turned:
                    held[bare.split(" &= ")[0]] = turns
                    row = _ROW_TURNS.sub("", row)
                kept.append(row)
        return env[1] + " \\\\\n".join(kept) + env[3] if kept else ""

    def sentence(match: re.Match[str]) -> str:
        said = re.sub(r"^\(\S*?B\d+\)\\quad |~\(\S*?B\d+\)|\\par(?![a-z])", "",
                      match[1] or match[2])
        said = said.rstrip(".; ").replace(r"\dots", "...")
        turned = re.search(r", \$(\w) = ([\d, .]+)\$$", said)
        letter, turns = counted(turned[1], turned[2]) if turned else ("", ())
        for m in _pulled(said[:turned.start()] if turned else said):
            used.append(Used(_dollars(m[1]), _dollars(m[2] or ""), m[3], letter, turns))
        return ""

    plain = _ALIGN.sub(equations, page)
    return _SAID.sub(sentence, plain), tuple(used), held


def _dollars(text: str) -> tuple[str, ...]:
    """What stands between dollars, or 0."""
    return tuple(name.replace("$", "") for name in names_in(text))


def _pulled(said: str) -> Iterator[re.Match[str]]:
    for part in said.split("; "):
        match = _PULLED.fullmatch(part)
        if match is None:
            raise Unreadable(f"the sentence {part!r}")
        yield match


def names_in(text: str) -> tuple[str, ...]:
    """a, b[l,1] and c, in brackets or braces or not; those of some turns as `h[l] @ 2 3`."""
    text = _SOME.sub(lambda m: " @ " + " ".join(map(str, counted("", m[1])[1])), text)
    found, depth = [""], 0
    for part in re.split(r"(,\s+|\s+and\s+)", text.strip()):
        if depth == 0 and re.fullmatch(r",\s+|\s+and\s+", part):
            found.append("")
            continue
        depth += sum(part.count(c) for c in "[{") - sum(part.count(c) for c in "]}")
        found[-1] += part
    return tuple(n.strip() for n in found if n.strip())


def counted(letter: str, numbers: str) -> tuple[str, tuple[int, ...]]:
    """l = 1, ..., 12, and back."""
    shown = [int(n) for n in re.findall(r"\d+", numbers)]
    if "..." in numbers:
        step = 1 if shown[0] < shown[-1] else -1
        return letter, tuple(range(shown[0], shown[-1] + step, step))
    return letter, tuple(shown)
