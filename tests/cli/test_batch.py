import json

import pytest

from avloc.cli.batch import Run
from avloc.cli.console import Reporter
from avloc.errors import EnvironmentProblem, MediaError, UsageError


def raising(error: Exception):
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ([], 0),
        (["complete"], 0),
        (["skipped", "complete"], 0),
        (["partial"], 1),
        (["complete", "partial"], 1),
        ([MediaError("a: broken")], 1),
        ([UsageError("a: no track 3")], 2),
        ([EnvironmentProblem("a: no encoder")], 3),
        ([UsageError("a"), UsageError("b")], 2),
        ([UsageError("a"), "complete"], 1),
        ([UsageError("a"), EnvironmentProblem("b")], 1),
        ([ValueError("a bug")], 1),
    ],
)
def test_the_exit_code(ends, code):
    run = Run(Reporter(quiet=True))
    for number, end in enumerate(ends):
        if isinstance(end, str):
            run.ended(f"{number}.mp4", end, {})
        else:
            run.attempt(f"{number}.mp4", raising(end))
    assert run.close() == code


def test_a_failure_is_one_line_that_names_its_input(capsys):
    run = Run(Reporter())
    run.attempt("a.mp4", raising(MediaError("not a media file;\n open another")))
    run.attempt("b.mp4", raising(MediaError("b.mp4: [bold]no[/bold] sound")))
    run.attempt("c.mp4", raising(KeyError("k")))
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "a.mp4: not a media file; open another"
    assert told[1] == "b.mp4: [bold]no[/bold] sound"
    assert told[2].startswith("c.mp4: unexpected KeyError: 'k'")
    assert len(told) == 3


def test_verbose_shows_the_traceback_of_a_fault(capsys):
    Run(Reporter(verbose=True)).attempt("c.mp4", raising(KeyError("k")))
    assert "in work" in capsys.readouterr().err


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit(143), BrokenPipeError])
def test_being_stopped_is_no_failure_of_an_input(stop):
    with pytest.raises(type(stop) if isinstance(stop, BaseException) else stop):
        Run(Reporter()).attempt("a.mp4", raising(stop))


def test_json_puts_one_object_a_line(capsys):
    run = Run(Reporter(), as_json=True)
    run.ended("a.mp4", "complete", {"fps": 5})
    run.attempt("b.mp4", raising(MediaError("no")))
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said == [
        {"source": "a.mp4", "status": "complete", "fps": 5},
        {"source": "b.mp4", "status": "failed", "error": "no"},
    ]


def test_quiet_leaves_failures_and_the_summary_counts(capsys):
    loud, quiet = Run(Reporter()), Run(Reporter(quiet=True))
    for run in (loud, quiet):
        run.ended("a.mp4", "complete", {})
        run.ended("b.mp4", "skipped", {})
        run.attempt("c.mp4", raising(MediaError("c.mp4: no")))
        run.close()
    told = capsys.readouterr().err.splitlines()
    assert told == ["c.mp4: no", "3 inputs: 1 complete, 1 skipped, 1 failed", "c.mp4: no"]
