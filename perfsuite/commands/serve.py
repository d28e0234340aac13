"""`perfsuite serve`: stored sessions in a browser on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # What argparse's add_subparsers returns has no public name.
    from argparse import _SubParsersAction

_PORT = 8323  # judgement: none of those that developers' servers have by default
_HOST = "127.0.0.1"


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "serve",
        help="the history in a browser: matrices, and each variant from session to session",
        description="Show the project's history in a browser on this machine, read only, until Ctrl-C. Each session is "
        "held against those before it of its machine class and stack, as `perfsuite judge` does.",
    )
    add = parser.add_argument
    add("paths", type=Path, nargs="*", metavar="PATH", help="show these files alone, or those of folders: "
        "baselines, or what --benchmark-json wrote (default: the project's history)")  # fmt: skip
    add("--port", type=int, default=_PORT, help="of 127.0.0.1 (default: %(default)s; 0: any that is free)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    import contextlib

    from perfsuite.commands.history import open_history
    from perfsuite.errors import UsageError
    from perfsuite.models import load_models
    from perfsuite.serve.app import App
    from perfsuite.serve.pages import Pages
    from perfsuite.serve.server import local_server
    from perfsuite.serve.shelf import Files, Kept, Library
    from perfsuite.settings import project_root, read_settings

    settings = read_settings(project_root(Path.cwd()), {})
    library: Library
    if options.paths:
        if gone := [path for path in options.paths if not path.exists()]:
            raise UsageError(f"there is no {' and no '.join(map(str, gone))}: give sessions, or folders of them")
        library, shown = Files(options.paths), ", ".join(map(str, options.paths))
    else:
        history = open_history()
        library, shown = Kept(history), history.address
    app = App(library, Pages(settings, load_models(settings.models)))
    try:
        server = local_server(_HOST, options.port, app)
    except (OSError, OverflowError) as error:
        raise UsageError(f"port {options.port} of {_HOST} cannot be had ({error}): give another --port") from error
    with contextlib.closing(library), server, contextlib.suppress(KeyboardInterrupt):
        print(f"http://{_HOST}:{server.server_port}/ shows {shown}; Ctrl-C ends it", flush=True)
        server.serve_forever()
    return 0
