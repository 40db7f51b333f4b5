"""From a LaTeX document to a PDF, by the pdflatex of the machine.

In: the text of a document. Out: the bytes of the PDF, the same for the same text; an
`InputError` that names the missing program or the first line that TeX refuses.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from symprop.errors import InputError

PROGRAM = "pdflatex"
MISSING = (
    f"{PROGRAM} was not found, and a PDF needs it: install a TeX"
    " (on Debian: apt-get install texlive-latex-base texlive-latex-recommended)"
)
SECONDS = 120


def has_tex() -> bool:
    """True where pdflatex can be run."""
    return shutil.which(PROGRAM) is not None


def compile_pdf(document: str) -> bytes:
    """Return the PDF of a standalone LaTeX document."""
    if not has_tex():
        raise InputError(MISSING)
    with tempfile.TemporaryDirectory(prefix="symprop-") as folder:
        Path(folder, "derivation.tex").write_text(document, encoding="utf-8")
        for _ in range(2):  # the second run knows the numbers of the pages
            _run_once(folder)
        return Path(folder, "derivation.pdf").read_bytes()


def _run_once(folder: str) -> None:
    command = [PROGRAM, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
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
        raise InputError(f"{PROGRAM} did not end within {SECONDS} seconds") from None
    if done.returncode != 0:
        log = done.stdout.decode("utf-8", "replace").splitlines()
        first = next((line for line in log if line.startswith("!")), "! no message")
        raise InputError(f"{PROGRAM} refuses the document: {first[1:].strip()}")
