"""The picture at the top of the README: a function, its code, two equations of its derivation.

    make picture        needs pdflatex and pdftoppm; writes docs/images/mlp.png

What is shown is what symprop makes of the README's own model. The picture carries the hash of its
TeX, so that tests/test_project.py sees without a TeX when it is no longer true.
"""

import hashlib
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import symprop
from symprop.files.load import load_text

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "images" / "mlp.png"
EQUATIONS = ("B12", "B13")
RESOLUTION = 150
KEY = b"symprop tex sha256"
PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"

DOCUMENT = r"""\documentclass[10pt]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{amsmath}
\usepackage[paperwidth=26.4cm,paperheight=11.2cm,margin=5mm]{geometry}
\DeclareUnicodeCharacter{03A3}{\ensuremath{\Sigma}}
\DeclareUnicodeCharacter{00B2}{\ensuremath{^2}}
\providecommand{\sympropequation}[2]{\par\medskip\noindent\textbf{#1}\quad #2\nopagebreak}
\providecommand{\sympropreason}[1]{\footnotesize\itshape #1}
\pagestyle{empty}\parindent=0pt
\newcommand{\said}[1]{{\sffamily\bfseries #1}\par\smallskip}
\begin{document}
\begin{minipage}[t]{13.3cm}
\said{You write}
{\footnotesize
\begin{verbatim}
MODEL
\end{verbatim}
}
\bigskip
\said{and get code, each line with the number of its equation,}
{\footnotesize
\begin{verbatim}
CODE
\end{verbatim}
}
\end{minipage}\hfill
\begin{minipage}[t]{11.4cm}
\said{and the derivation, each step with its reason.}
{\small
STEPS
}
\end{minipage}
\end{document}
"""


def tex() -> str:
    """The picture as TeX, made afresh from the README's model."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    model = re.search(r"`model\.py`:\n\n```python\n(.*?)```", readme, re.S)[1]
    module = load_text(model, "model")
    system = symprop.trace(module.loss, wrt=module.WRT, facts=module.FACTS)
    derivation = symprop.derive(system)
    source = symprop.generate(derivation).source
    backward = source[source.index("def backward"):].split("\n\n\n")[0].splitlines()
    lines = [line for line in backward if line.strip() and '"""' not in line]
    shown = model[model.index("def loss"):].rstrip("\n")
    return (DOCUMENT.replace("MODEL", shown).replace("CODE", "\n".join(lines))
            .replace("STEPS", "\n".join(steps(derivation, e) for e in EQUATIONS)))


def steps(derivation: symprop.Derivation, equation: str) -> str:
    """One equation with its steps, without what stands around it."""
    text = derivation.latex(equation=equation)
    return re.search(r"\\sympropequation\{.*?\\end\{align\*\}", text, re.S)[0]


def hash_of(text: str) -> bytes:
    """What the picture carries of its TeX."""
    return hashlib.sha256(text.encode()).hexdigest().encode()


def drawn(text: str) -> bytes:
    """The first page of a TeX document as a PNG, with the hash of the document in it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "picture.tex").write_text(text, encoding="utf-8")
        run("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex", folder=folder)
        run("pdftoppm", "-png", "-gray", "-singlefile", "-r", str(RESOLUTION), "picture.pdf",
            "picture", folder=folder)
        data = Path(folder, "picture.png").read_bytes()
    content = b"tEXt" + KEY + b"\x00" + hash_of(text)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return data[:-len(PNG_END)] + chunk + PNG_END


def run(*command: str, folder: str) -> None:
    """Run a program; exit with what it says if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} fails:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_bytes(drawn(tex()))
    print(PLACE.relative_to(ROOT))
