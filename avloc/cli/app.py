"""The program: its verbs, and how it ends."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from avloc import __version__
from avloc.cli import contamination, doctor, evaluate, localize, models, synth, train
from avloc.cli.console import Reporter, put
from avloc.cli.stopping import INTERRUPTED, abandon_stdout, stoppable
from avloc.errors import AvlocError, UsageError

app = typer.Typer(
    name="avloc",
    invoke_without_command=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("localize")(localize.localize)
app.command("synth")(synth.synth)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("contamination")(contamination.contamination)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")

_UsageProblem: type[Exception] = typer.BadParameter.__mro__[1]
"""What the parser raises for any wrong word; typer gives this class no name of its own."""


def _version(wanted: bool) -> None:
    if wanted:
        put(f"avloc {__version__}")
        raise typer.Exit


@app.callback()
def avloc(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Find where a sound comes from in a video."""
    if context.invoked_subcommand is None:
        put(context.get_help())
        raise typer.Exit(2)


def _usage(error: BaseException, reporter: Reporter) -> int:
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "avloc"
    message = str(getattr(error, "format_message", error.__str__)())
    reporter.fail(f"{where}: {message.rstrip('.')}; see {where} --help")
    return UsageError.exit_code


def main() -> None:
    """Run the command line and end the process with the exit code it deserves.

    0 all done; 1 some inputs failed; 2 usage; 3 environment; 130 Ctrl-C; 143 SIGTERM.
    """
    reporter = Reporter()
    try:
        with stoppable():
            code = app(prog_name="avloc", standalone_mode=False)
    except AvlocError as error:
        reporter.fail(f"avloc: {error}")
        code = error.exit_code
    except _UsageProblem as error:
        code = _usage(error, reporter)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        abandon_stdout()
        code = 1
    if code == INTERRUPTED:
        reporter.fail("avloc: interrupted")
    sys.exit(code if isinstance(code, int) else 0)
