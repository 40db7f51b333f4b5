"""The package as it is installed: wheel, sdist, editable install, bare checkout.

Each gets an environment of its own that sees the dependencies but not the symprop that runs
these tests; each must find its templates, and all must generate the same bytes.
"""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from symprop.version import __version__

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = ("symprop", "templates", "pyproject.toml", "README.md", "LICENSE", "Makefile")
MORE_SOURCES = ("tests", "docs", "examples", "generated", "benchmarks", "CHANGELOG.md",
                "CITATION.cff", "CONTRIBUTING.md", "SECURITY.md")
TEMPLATES = sorted(
    path.relative_to(ROOT / "templates").as_posix()
    for path in (ROOT / "templates").rglob("*")
    if path.is_file()
)
ASK = "from symprop.files.templates import default_folder as d; print(d())"


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment(folder: Path) -> Path:
    """A fresh environment that borrows the installed dependencies; its python."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder.parent)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    # A folder named in a .pth file is searched, but .pth files inside it are not read: the
    # editable install that runs these tests stays out of sight.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def install(python: Path, what: str | Path, *options: str) -> None:
    words = ("install", "--quiet", "--no-deps", "--disable-pip-version-check", *options)
    run(sys.executable, "-m", "pip", "--python", python, *words, what, folder=python.parent)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has, without what running it leaves behind."""
    folder = tmp_path_factory.mktemp("checkout") / "symprop"
    folder.mkdir()
    for name in (*SOURCES, *MORE_SOURCES):
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.exists():
            shutil.copy(source, folder / name)
    shutil.copy(ROOT / ".gitignore", folder)
    return folder


@pytest.fixture(scope="module")
def dist(checkout: Path) -> Path:
    """The wheel and the sdist; the wheel is built from the sdist."""
    out = checkout.parent / "dist"
    run(sys.executable, "-m", "build", "--outdir", out, checkout, folder=checkout.parent)
    return out


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the symprop that runs these tests generates."""
    return run(sys.executable, "-m", "symprop", "generate", "mlp", folder=ROOT)


def check_installed(python: Path, folder: Path, templates: Path, expected: str) -> None:
    """The templates are found where they should be, and the program runs."""
    assert run(python, "-c", ASK, folder=folder).strip() == str(templates)
    for name in TEMPLATES:
        assert (templates / name).is_file()
    assert run(python, "-m", "symprop", "--version", folder=folder) == f"symprop {__version__}\n"
    assert run(python, "-m", "symprop", "generate", "mlp", folder=folder) == expected


@pytest.mark.packaging
def test_what_is_built_can_be_published(dist: Path) -> None:
    """Its metadata is complete, and its description can be shown."""
    files = sorted(dist.iterdir())
    assert len(files) == 2
    said = run(sys.executable, "-m", "twine", "check", "--strict", *files, folder=dist)
    assert said.count("PASSED") == 2


@pytest.mark.packaging
def test_wheel(dist: Path, tmp_path: Path, expected: str) -> None:
    (wheel,) = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"symprop", f"symprop-{__version__}.dist-info"}
    assert {"symprop/py.typed", *(f"symprop/templates/{name}" for name in TEMPLATES)} <= set(names)
    python = environment(tmp_path / "venv")
    install(python, wheel)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    check_installed(python, tmp_path, site / "symprop" / "templates", expected)
    program = tmp_path / "venv" / "bin" / "symprop"
    assert run(program, "--version", folder=tmp_path) == f"symprop {__version__}\n"


@pytest.mark.packaging
def test_sdist_unpacked_and_used_in_place(dist: Path, tmp_path: Path, expected: str) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    folder = tmp_path / f"symprop-{__version__}"
    assert all((folder / name).exists() for name in SOURCES)
    assert {path.name for path in folder.iterdir()} <= {
        *SOURCES,
        *MORE_SOURCES,
        "PKG-INFO",
        ".gitignore",
    }
    python = environment(tmp_path / "venv")
    check_installed(python, folder, folder / "templates", expected)


@pytest.mark.packaging
def test_editable_install(checkout: Path, tmp_path: Path, expected: str) -> None:
    python = environment(tmp_path / "venv")
    install(python, checkout, "--editable")
    check_installed(python, tmp_path, checkout / "templates", expected)


@pytest.mark.packaging
def test_bare_checkout(checkout: Path, tmp_path: Path, expected: str) -> None:
    python = environment(tmp_path / "venv")
    check_installed(python, checkout, checkout / "templates", expected)


def lower_bounds() -> dict[str, str]:
    found = {}
    for requirement in PROJECT["dependencies"]:
        name, _, version = requirement.partition(">=")
        found[name] = version
    return found


def test_the_oldest_versions_in_the_makefile_are_those_declared() -> None:
    (line,) = re.findall(r"^FLOOR := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    floor = dict(word.split("==") for word in line.split())
    assert floor.keys() == lower_bounds().keys()
    for name, version in lower_bounds().items():
        assert (floor[name] + ".").startswith(version + ".")


@pytest.mark.oldest
@pytest.mark.parametrize("name", lower_bounds())
def test_these_are_the_oldest_versions(name: str) -> None:
    assert (importlib.metadata.version(name) + ".").startswith(lower_bounds()[name] + ".")


def test_nothing_is_needed_that_is_not_declared() -> None:
    """Every import of the package is its own, the standard library's or a dependency's.

    What an extra brings is imported where it is asked for.
    """
    pattern = re.compile(r"^\s*(?:from|import) ([a-z_0-9]+)", re.MULTILINE)
    plot = {r.partition(">=")[0] for r in PROJECT["optional-dependencies"]["plot"]}
    allowed = {"symprop", *lower_bounds(), *plot, *sys.stdlib_module_names}
    for path in (ROOT / "symprop").rglob("*.py"):
        text = re.sub(r'"""(?s:.*?)"""', "", path.read_text(encoding="utf-8"))
        assert set(pattern.findall(text)) <= allowed, path.name
