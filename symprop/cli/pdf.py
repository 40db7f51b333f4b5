"""From a LaTeX document to a PDF, by the pdflatex or xelatex of the machine.

In: the text of a document. Out: the bytes of the PDF, the same for the same text; an
`InputError` that names the missing program or the first line that TeX refuses.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from symprop.emit.words import ENGLISH, words
from symprop.errors import InputError

SECONDS = 120
LETTERS = "zh"  # the language whose TeX sets letters of any script


def has_tex(language: str = ENGLISH, document: str = "") -> bool:
    """True where the TeX that documents of a language, or this one, need can be run."""
    return shutil.which(program_for(language, document)) is not None


def program_for(language: str = ENGLISH, document: str = "") -> str:
    """The TeX that sets a document: letters of any script need that of Chinese."""
    return words(language if document.isascii() else LETTERS)("language.program")


def missing(language: str = ENGLISH, document: str = "") -> str:
    """What to say where it cannot."""
    say = words(language if document.isascii() else LETTERS)
    return (f"{say('language.program')} was not found, and a PDF needs it: install a TeX"
            f" (on Debian: apt-get install {say('language.install')})")


def compile_pdf(document: str, language: str = ENGLISH) -> bytes:
    """Return the PDF of a standalone LaTeX document, by the TeX that its language needs."""
    program = program_for(language, document)
    if not has_tex(language, document):
        raise InputError(missing(language, document))
    with tempfile.TemporaryDirectory(prefix="symprop-") as folder:
        Path(folder, "derivation.tex").write_text(document, encoding="utf-8")
        for _ in range(2):  # the second run knows the numbers of the pages
            _run_once(folder, program)
        return Path(folder, "derivation.pdf").read_bytes()


def _run_once(folder: str, program: str) -> None:
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    # A fixed date: the same derivation gives the same bytes.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    try:
        done = subprocess.run(
            [*command, "derivation.tex"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{program} did not end within {SECONDS} seconds") from None
    if done.returncode != 0:
        log = done.stdout.decode("utf-8", "replace").splitlines()
        first = next((line for line in log if line.startswith("!")), "! no message")
        raise InputError(f"{program} refuses the document: {first[1:].strip()}")
