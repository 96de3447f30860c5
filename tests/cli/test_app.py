"""The program as a user meets it: start, help, completion, usage errors, exit codes."""

import os
import subprocess
import sys

import pytest

import avloc


def run(*args: str, **options) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "avloc", *args],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        **options,
    )


def test_the_version():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"avloc {avloc.__version__}\n")


@pytest.mark.parametrize("words", [["--help"], ["localize", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words):
    code = (
        "import sys; sys.argv[0] = 'avloc'\n"
        "from avloc.cli.app import main\n"
        "try: main()\n"
        "finally: print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    heavy = {"torch", "numpy", "av", "scipy", "librosa", "torchaudio", "torchvision", "timm", "PIL"}
    assert not heavy & set(done.stderr.split())


def test_importing_avloc_loads_nothing_heavy():
    code = "import avloc, sys; print({'torch', 'numpy', 'av'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "set()\n"


def test_every_public_name_is_there():
    for name in avloc.__all__:
        assert getattr(avloc, name) is not None
    assert set(avloc.__all__) <= set(dir(avloc))
    with pytest.raises(AttributeError, match="no attribute 'lode_model'"):
        avloc.lode_model  # noqa: B018


def test_without_a_verb_the_help_is_shown():
    done = run()
    assert done.returncode == 2
    assert "localize" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["locaize", "a.mp4"], "Did you mean 'localize'"),
        (["localize"], "Missing argument"),
        (["localize", "a.mp4", "--fast"], "No such option: --fast"),
        (["localize", "a.mp4", "--fps", "-3"], "--fps -3 is out of range"),
        (["localize", "a.mp4", "--fps", "nan"], "--fps nan is out of range"),
        (["localize", "a.mp4", "--fps", "many"], "--fps"),
        (["localize", "a.mp4", "--alpha", "1.5"], "alpha 1.5 is out of range"),
        (["localize", "a.mp4", "--colormap", "trubo"], "did you mean 'turbo'"),
        (["localize", "a.mp4", "--codec", "h265"], "--codec"),
        (["localize", "a.mp4", "--save", "video,jpeg"], "unknown output 'jpeg'"),
        (["localize", "a.mp4", "--audio-track", "-1"], "--audio-track"),
        (["localize", "a.mp4", "--start", "ten"], "--start 'ten' is not a time"),
        (["localize", "a.mp4", "--start", "9", "--end", "4"], "does not lie after the start"),
        (["localize", "a.mp4", "--audio", "b.wav", "--no-audio"], "exclude each other"),
        (["localize", __file__, "--name", "{stem}"], "needs {ext}"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(words, told):
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_verbs(shell):
    asked = {
        "bash": {"_AVLOC_COMPLETE": "complete_bash", "COMP_WORDS": "avloc lo", "COMP_CWORD": "1"},
        "zsh": {"_AVLOC_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "avloc lo"},
        "fish": {
            "_AVLOC_COMPLETE": "complete_fish",
            "_TYPER_COMPLETE_ARGS": "avloc lo",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
    }
    assert "localize" in run(env=asked[shell]).stdout


def test_completion_knows_the_codecs():
    asked = {"COMP_WORDS": "avloc localize a.mp4 --codec h", "COMP_CWORD": "4"}
    done = run(env={"_AVLOC_COMPLETE": "complete_bash", **asked})
    assert done.stdout.split() == ["h264", "hevc"]


def test_the_completion_script_can_be_shown():
    done = run(
        "--show-completion", "bash", env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    )
    assert done.returncode == 0
    assert "complete -o default -F _avloc_completion avloc" in done.stdout
