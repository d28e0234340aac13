"""The ``perfsuite`` command. Each subcommand imports what it needs when it runs."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from perfsuite.commands import compare, doctor, explain, history, judge, kernels, matrix, selfcheck, serve, stacks, tune
from perfsuite.errors import PerfsuiteError, UsageError

_COMMANDS = (matrix, doctor, kernels, explain, judge, serve, compare, tune, history, stacks, selfcheck)
#: As ``perfsuite.judge.colour.Status`` has them, which --help need not import.
_USAGE, _FAILED, _INTERRUPTED = 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 fine, 1 something is worse, missing or wrong, 2 usage, 3 perfsuite could not do its work."""
    parser = argparse.ArgumentParser(
        prog="perfsuite", description="CPU inference: slower, wrong, or not using the silicon, and why?"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except PerfsuiteError as error:
        print(f"perfsuite: {error}", file=sys.stderr)
        return _USAGE if isinstance(error, UsageError) else _FAILED
    except KeyboardInterrupt as interrupt:
        print(f"perfsuite: interrupted; {interrupt}" if interrupt.args else "perfsuite: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except Exception:
        # A fault of ours must not have the status of "slower".
        traceback.print_exc()
        print("perfsuite: perfsuite itself failed; please report the lines above", file=sys.stderr)
        return _FAILED
    return status
