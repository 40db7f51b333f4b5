"""Puts the model's functions and the training code into one file.

In: the text of a generated module; the text of training code that calls it. Out: the statements
of the model that its public functions need, comments included and self-check left out; and
training code whose own names give way to those of the model. Text is parsed, never run.
"""

import ast
import io
import tokenize
from collections.abc import Collection, Iterable, Mapping

from symprop.names import unused

PUBLIC = ("forward", "backward", "value_and_grad", "predict")
FACTS_OF_THE_MODULE = (
    "WRT", "FACTS", "ZERO", "COMPLEX_SAFE", "OUTPUTS", "RULE", "FEEDBACK", "DEPARTS", "OWN_LOSS",
)


def model_part(source: str) -> str:
    """Return the statements of a module that its public functions reach, as they are written.

    >>> text = "import sys\\nc = 2\\ndef forward(x): return c * x\\ndef test(): sys.exit()"
    >>> print(model_part(text))
    c = 2
    <BLANKLINE>
    <BLANKLINE>
    def forward(x): return c * x
    """
    lines = source.splitlines()
    body = ast.parse(source).body
    wanted = _reached(body, [*FACTS_OF_THE_MODULE, *PUBLIC])
    pieces, end = [], 0
    for statement in body:
        if wanted.intersection(_bound(statement)) and not _imports_numpy(statement):
            pieces.append((isinstance(statement, ast.Assign), _text(lines, end, statement)))
        end = statement.end_lineno or end
    return _joined(pieces)


def names_of(source: str) -> set[str]:
    """Return the names that the statements at the top of a module bind."""
    return {name for statement in ast.parse(source).body for name in _bound(statement)}


def giving_way(text: str, taken: Collection[str]) -> str:
    """Rename what `text` defines at its top and what is in `taken`; strings stay as they are.

    >>> giving_way("LR = 0.1\\nprint(LR, 'LR')\\n", {"LR", "forward"})
    "LR_2 = 0.1\\nprint(LR_2, 'LR')\\n"
    """
    own = names_of(text)
    renamed = {name: unused(name, own | set(taken)) for name in sorted(own & set(taken))}
    return _renamed(text, renamed) if renamed else text


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Replace whole identifiers, from the last to the first so that columns stay right."""
    lines = text.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for token in reversed(tokens):
        if token.type == tokenize.NAME and token.string in names:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + names[token.string] + line[token.end[1] :]
    return "".join(lines)


def _reached(body: Iterable[ast.stmt], roots: Iterable[str]) -> set[str]:
    """Return the names at the top that the roots use, directly or through others."""
    definitions = {name: node for node in body for name in _bound(node)}
    waiting, found = list(roots), set[str]()
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in found:
            found.add(name)
            nodes = ast.walk(definitions[name])
            waiting += [node.id for node in nodes if isinstance(node, ast.Name)]
    return found


def _bound(statement: ast.stmt) -> tuple[str, ...]:
    """Return the names that a statement defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Assign(targets=targets):
            return tuple(target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            return (name,)
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return tuple(alias.asname or alias.name.split(".")[0] for alias in aliases)
    return ()


def _imports_numpy(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import) and _bound(statement) == ("np",)


def _text(lines: list[str], end: int, statement: ast.stmt) -> str:
    """Return the lines of a statement with its decorators and the comments above it."""
    decorators = getattr(statement, "decorator_list", [])
    start = min([statement.lineno, *(node.lineno for node in decorators)]) - 1
    while start > end and lines[start - 1].startswith("#"):
        start -= 1
    return "\n".join(lines[start : statement.end_lineno])


def _joined(pieces: list[tuple[bool, str]]) -> str:
    """Join statements: constants stand together, two empty lines stand around functions."""
    text, before = "", True
    for constant, piece in pieces:
        gap = "" if not text else "\n" if constant and before else "\n\n\n"
        text, before = text + gap + piece, constant
    return text
