"""What needs no calculus loads none: SymPy takes longer to import than all of this to run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

import symprop
from symprop.cli.main import COMMANDS, program
from symprop.zoo import models, titles

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("words", [
    ["--version"], ["--help"], ["list"], ["check", "--help"], ["check", "generated/mlp.py"],
], ids=" ".join)
def test_a_light_command_loads_no_sympy(words: list[str]) -> None:
    script = (f"import sys; from symprop.cli.main import run; status = run({words}); "
              "heavy = {'sympy', 'rich', 'symprop.derivation', 'symprop.zoo.table'}; "
              "sys.exit(f'{heavy & set(sys.modules)}' if heavy & set(sys.modules) else status)")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


def test_import_alone_loads_no_numpy_and_every_name_is_there() -> None:
    script = ("import sys, symprop; assert not {'sympy', 'numpy'} & set(sys.modules)\n"
              "assert set(symprop.__all__) <= set(dir(symprop))\n"
              "import symprop.check, symprop.train, symprop.trace.trace, symprop.derive.sweep\n"
              "for name in ('check', 'train', 'trace', 'derive'):\n"
              "    assert type(getattr(symprop, name)).__name__ == 'function', name\n"
              "for name in symprop.__all__:\n"
              "    getattr(symprop, name)\n")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    context = click.Context(program)
    for name, (_, _, about) in COMMANDS.items():
        command = program.get_command(context, name)
        assert command is not None and command.name == name
        assert command.get_short_help_str(100) == about


def test_titles_are_those_of_the_models() -> None:
    assert titles() == {name: model.title for name, model in models().items()}


def test_a_name_that_is_not_there_is_said_so() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        symprop.nothing  # noqa: B018
