"""What the project says of itself is one thing: version, links, files beside the package."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest
import sympy

from symprop.version import __version__

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff",
         "CHANGELOG.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_links_absolutely_to_files_that_are_there(name: str) -> None:
    """It is shown elsewhere, too, where a relative link leads nowhere."""
    base = f"{PROJECT['urls']['Source']}/blob/main/"
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text(name))
    assert len(links) > 5
    for link in links:
        file = link.replace("/raw/", "/blob/").removeprefix(base)
        assert file != link and (ROOT / file).exists(), link


def test_the_picture_shows_what_is_made_of_the_readmes_model() -> None:
    """Where it does not: make picture."""
    picture = runpy.run_path(str(ROOT / "examples" / "picture.py"))
    data = picture["PLACE"].read_bytes()
    assert len(data) < 200_000
    assert picture["KEY"] + b"\0" + picture["hash_of"](picture["tex"]()) in data


@pytest.mark.parametrize("name", [n for n in PAGES if n != "CITATION.cff"])
def test_links_within_the_repository_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)[^)]*\)", text(name)):
        assert (ROOT / link).exists(), link


def test_every_address_is_that_of_the_project() -> None:
    home = PROJECT["urls"]["Homepage"]
    assert all(url.startswith(home) for url in PROJECT["urls"].values())
    assert text("CITATION.cff").count(home) == 2
    assert home + "/security/advisories/new" in text("SECURITY.md")


def test_the_version_is_the_same_everywhere() -> None:
    assert f"\nversion: {__version__}\n" in text("CITATION.cff")
    assert f"\n## {__version__}\n" in text("CHANGELOG.md")
    assert f"symprop=={__version__}" in text("docs/frozen.md")


def test_every_python_that_is_promised_is_tested() -> None:
    promised = [c.rpartition(" ")[2] for c in PROJECT["classifiers"]
                if re.search(r":: 3\.\d+$", c)]
    assert PROJECT["requires-python"] == f">={promised[0]}"
    matrix = re.search(r"python: \[(.*)\]", text(".github/workflows/ci.yml"))
    assert matrix is not None and re.findall(r"\d\.\d+", matrix[1]) == promised


def test_workflows_ask_for_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([\w-]+):", text("Makefile"), re.M))
    for name in ("ci.yml", "release.yml"):
        flow = text(f".github/workflows/{name}")
        asked = set(re.findall(r"make ([\w-]+)", flow))
        asked |= {t for row in re.findall(r"target: \[(.*)\]", flow) for t in row.split(", ")}
        assert asked and asked <= targets


def test_what_is_said_of_sympy_is_said_of_a_version() -> None:
    said = re.findall(r"SymPy (\d+\.\d+)", text("README.md"))
    assert said and all(v == "1.14" for v in said)
    if sympy.__version__.startswith("1.14"):
        x = sympy.MatrixSymbol("X", 2, 2)
        assert sympy.trace(x).diff(x) == sympy.Identity(2)
