"""Contents -> one file of HTML that needs no network and runs nothing but what was written with it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.errors import PerfsuiteError
from perfsuite.partial import partial_of
from perfsuite.report.page.chapter import Contents
from perfsuite.report.page.sections import page

if TYPE_CHECKING:
    from jinja2 import Environment

#: The template of what is there to be looked at, with a form to search it.
OVERVIEW = "overview"
_TEMPLATES = Path(__file__).with_name("templates")


def write_page(contents: Contents, path: Path) -> None:
    """Atomically; PerfsuiteError if it cannot be written."""
    text = page_html(contents)
    partial = partial_of(path)
    try:
        # What no encoding has, such as half of a surrogate pair in a name, is a question mark.
        partial.write_text(text, encoding="utf-8", errors="replace")
        partial.replace(path)
    except OSError as error:
        raise PerfsuiteError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def page_html(contents: Contents) -> str:
    """The whole document."""
    return rendered("page", page=page(contents))


def rendered(name: str, **told: object) -> str:
    """The template of that name; style and script are in it, and its policy names them by their digests.

    A form of a page that is served may ask the server alone.
    """
    style, script = ((_TEMPLATES / file).read_text(encoding="utf-8") for file in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; style-src '{_source(style)}'; script-src '{_source(script)}'; img-src data:; "
        f"base-uri 'none'; form-action '{'self' if name == OVERVIEW else 'none'}'"
    )
    return _environment().get_template(f"{name}.html.j2").render(style=style, script=script, policy=policy, **told)


def _source(text: str) -> str:
    """As a content security policy names an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
