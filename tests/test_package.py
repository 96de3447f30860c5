"""What stands in more than one place says the same: version, commands, links."""

import re
from pathlib import Path

import pytest
import yaml

import avloc

ROOT = Path(__file__).parent.parent
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")})


def commands(page: Path) -> list[str]:
    """The lines of a page's shell blocks, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.S)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == avloc.__version__
    assert f"## {avloc.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_ci_runs_the_commands_of_the_readme():
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("no CI script in this distribution")
    steps = script.read_text("utf-8")
    install, test = commands(ROOT / "README.md")[:2]
    for step in install.split(" && ")[1:]:
        assert f"\n    {step}\n" in steps
    assert test.replace("pip install -e", "pip install -qq -e") in steps


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_commands_use_options_that_exist(page):
    from typer.main import get_command

    from avloc.cli.app import app

    verbs = get_command(app).commands
    for line in commands(page):
        for _, verb, rest in re.findall(r"(^|\s)avloc (\w+)([^|&]*)", line):
            command = verbs[verb]
            # Of `avloc models convert` it is the second verb that has the options.
            inner = getattr(command, "commands", {}).get(rest.split()[0] if rest.split() else "")
            known = {name for option in (inner or command).params for name in [*option.opts]}
            known |= {"--no-" + name[2:] for name in known} | {"--help"}
            unknown = set(re.findall(r"(?<!\S)-{1,2}[a-z][\w-]*", rest)) - known
            assert not unknown, f"{line}: {unknown}"
