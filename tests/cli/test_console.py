import io

import pytest
from rich.console import Console

from avloc.cli import console
from avloc.cli.console import Reporter


def on(reporter: Reporter, terminal: bool) -> io.StringIO:
    out = io.StringIO()
    reporter._console = Console(file=out, force_terminal=terminal, width=80, soft_wrap=True)
    return out


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    reporter = Reporter()
    out = on(reporter, terminal=False)
    clock = iter([0.0, 1.0, 31.0, 31.0, 32.0, 70.0, 70.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with reporter.progress("a.mp4") as advance:
        advance(1, 100)
        advance(40, 100)
        advance(41, 100)
        advance(90, None)
    assert out.getvalue().splitlines() == ["a.mp4: 40 s done (40%)", "a.mp4: 90 s done"]


def test_a_terminal_gets_a_bar():
    reporter = Reporter()
    out = on(reporter, terminal=True)
    with reporter.progress("a.mp4") as advance:
        advance(50, 100)
    assert "a.mp4" in out.getvalue()
    assert "50%" in out.getvalue()


def test_a_long_name_leaves_room_for_the_bar(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    reporter = Reporter()
    out = on(reporter, terminal=True)
    with reporter.progress(
        "A rather long name of a video [x7] from somewhere (720p).mp4"
    ) as advance:
        advance(50, 100)
    assert "A rather long n\N{HORIZONTAL ELLIPSIS}here (720p).mp4" in out.getvalue()
    assert "50%" in out.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_draws_nothing(terminal):
    reporter = Reporter(quiet=True)
    out = on(reporter, terminal)
    with reporter.progress("a.mp4") as advance:
        advance(50, 100)
    reporter.say("hello")
    reporter.warn("careful")
    assert out.getvalue() == ""


def test_no_colour_when_told_so(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    reporter = Reporter()
    out = io.StringIO()
    reporter._console.file = out
    reporter.fail("broken")
    assert "\x1b[3" not in out.getvalue()
    assert "broken" in out.getvalue()
