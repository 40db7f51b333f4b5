"""What a generated module may be: the allow-list over its syntax tree, and who asks it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symprop
from symprop.errors import InputError
from symprop.files.allowed import refuse_foreign

HEAD = "import numpy as np\n"
FOREIGN = [
    "import os", "from os import system", "import numpy.f2py", "from numpy import load",
    "from . import other", "eval('1')", "exec('x = 1')", "open('/etc/passwd').read()",
    "getattr(np, 'load')", "np.load('x.npy')", "np.savez('x.npz', a=1)", "np.ctypeslib",
    "np.array(1).tofile('x')", "().__class__.__bases__", "__import__('os')", "__builtins__",
    "np.__dict__", "globals()['x']", "async def f(): pass", "class A: x: int = eval('1')",
    "def f():\n    yield 1", "def f():\n    global x\n    x = 1", "del np", "(x := open)",
    "if np.pi:\n    del np", "def f(a): del a[0]", "def f(a): del a.x",
    "if np.pi < 3:\n    eval = 1\neval('1')", "def f():\n    return eval('1')\neval = 1",
    "y = eval\neval = 1", "try:\n    pass\nfinally:\n    pass", "print(f'{open(1)}')",
    "'{0.__class__}'.format(1)", "breakpoint()", "x = memoryview",
    "def f(eval):\n    return eval\ndef g():\n    return eval('1')", "np.lib.npyio.os.system('id')",
    "np.random.os", "match 1:\n    case 1:\n        pass",
]
OWN = [
    "vars = np.array([1.0])\ndef f():\n    return vars",
    "def f(input, open):\n    return input * open",
    "def f(x):\n    hash = x\n    return [hash for _ in range(2)]", "__version__ = '1'",
    "def f(x):\n    return np.lib.stride_tricks.sliding_window_view(x, 2)[..., None]",
    "class Saved(tuple):\n    names = ('A',)\ndef f(saved):\n    return saved.A1\nA1 = 1",
    "def f(x: 'N'):\n    return x\nprint(f.__annotations__)",
    "def f(x):\n    return x.at[0].set(1)",
    "if __name__ == '__main__':\n    raise SystemExit(0)",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_what_computes_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="mine was not written: "):
        refuse_foreign(HEAD + text, "mine")


@pytest.mark.parametrize("text", OWN)
def test_what_a_module_makes_itself_is_its_own(text: str) -> None:
    refuse_foreign(HEAD + text, "mine")


def test_a_template_cannot_bring_in_code_of_another_kind(tmp_path: Path) -> None:
    """It would be run when the module is compared with its equations."""
    victim = tmp_path / "PWNED"
    (tmp_path / "module.py.jinja").write_text(
        '{% extends "!module.py.jinja" %}\n{% block imports %}\n{{ super() }}'
        f"import pathlib\npathlib.Path({str(victim)!r}).touch()\n{{% endblock %}}\n")
    system = symprop.trace(lambda x: np.sum(x**2), shapes={"x": "N"})
    with pytest.raises(InputError, match=r"line 1[0-9]* imports pathlib, which no generated"):
        symprop.generate(system, tmp_path / "mine.py", templates=tmp_path)
    assert not victim.exists() and not (tmp_path / "mine.py").exists()


def test_names_of_builtins_are_a_users_own() -> None:
    def loss(input: "N", vars: "N", open: "M", eval: "N M"):  # type: ignore[name-defined]
        compile = np.tanh(eval @ open)
        exec = np.array([1.0, 2.0])
        return np.sum(compile * input * vars) + np.sum(exec * input[0])

    module = symprop.generate(symprop.trace(loss))
    ones = [np.ones(s) for s in ((2,), (2,), (3,), (2, 3))]
    assert np.allclose(module.forward(*ones)[0], loss(*ones))
