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


def has_tex(language: str = ENGLISH) -> bool:
    """True where the TeX that documents of a language need can be run."""
    return shutil.which(words(language)("language.program")) is not None


def missing(language: str = ENGLISH) -> str:
    """What to say where it cannot."""
    say = words(language)
    return (f"{say('language.program')} was not found, and a PDF needs it: install a TeX"
            f" (on Debian: apt-get install {say('language.install')})")


def compile_pdf(document: str, language: str = ENGLISH) -> bytes:
    """Return the PDF of a standalone LaTeX document, by the TeX that its language needs."""
    program = words(language)("language.program")
    if not has_tex(language):
        raise InputError(missing(language))
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
