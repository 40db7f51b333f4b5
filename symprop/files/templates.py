"""The template environment: where the Jinja skeletons are found and how they are read.

In: a template's name, and a folder of the user's own if there is one. Out: rendered text. The
default skeletons stand in `templates/`: beside this package in a checkout or an sdist, inside
it (`symprop/templates`) once installed from a wheel.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from symprop.errors import FileError, InputError
from symprop.files.sandbox import Bounded, rendered

PACKAGE = Path(__file__).resolve().parent.parent

LATEX_DELIMITERS: Mapping[str, str] = {
    "variable_start_string": r"\VAR{",
    "variable_end_string": "}",
    "block_start_string": r"\BLOCK{",
    "block_end_string": "}",
    "comment_start_string": r"\#{",
    "comment_end_string": "}",
}


def default_folder() -> Path:
    """Return the folder of the default templates. FileError if there is none."""
    for folder in (PACKAGE / "templates", PACKAGE.parent / "templates"):
        if folder.is_dir():
            return folder
    raise FileError(f"no templates in {PACKAGE}: symprop is not installed completely")


def environment(folder: str | Path | None = None, latex: bool = False) -> jinja2.Environment:
    r"""Return the environment; a template found in `folder` goes before the default one.

    A template of the user's may extend or include the default one as `!NAME`. Nothing undefined is
    ever printed, and text is not escaped. With `latex` the delimiters are
    those that do not clash with TeX: `\VAR{x}`, `\BLOCK{for x in y}`, `\#{a comment}`. A user's
    folder is rendered in a sandbox, bounded in time and output. FileError where `folder` is none.

    >>> environment(latex=True).from_string(r"\frac{\VAR{x}}{2}").render(x=1)
    '\\frac{1}{2}'
    """
    folders = [default_folder()]
    kind: type[jinja2.Environment] = jinja2.Environment
    if folder is not None:
        if not Path(folder).is_dir():
            raise FileError(f"the template folder {folder} does not exist or is not a folder")
        folders.insert(0, Path(folder))
        kind = Bounded
    options: dict[str, Any] = dict(LATEX_DELIMITERS) if latex else {}
    ours = jinja2.PrefixLoader({"": jinja2.FileSystemLoader(default_folder())}, delimiter="!")
    return kind(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(folders), ours]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        **options,
    )


@cache
def _of_ours(latex: bool) -> jinja2.Environment:
    """The environment of the default skeletons, which are compiled once."""
    return environment(latex=latex)


def render(
    name: str,
    values: Mapping[str, object],
    folder: str | Path | None = None,
    latex: bool = False,
) -> str:
    """Render the template called `name`. InputError names the template and line at fault."""
    try:
        found = _of_ours(latex) if folder is None else environment(folder, latex)
        template = found.get_template(name)
        return template.render(values) if folder is None else rendered(template, values)
    except jinja2.TemplateSyntaxError as error:
        where = f"{error.name or name}:{error.lineno}"
        raise InputError(f"the template {where} cannot be read: {error.message}") from error
    except jinja2.TemplateNotFound as error:
        raise FileError(f"there is no template {error.name}") from error
    except jinja2.TemplateError as error:
        raise InputError(f"the template {name} cannot be rendered: {error.message}") from error
