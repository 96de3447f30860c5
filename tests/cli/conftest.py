import pytest

from avloc.cli import app


@pytest.fixture
def avloc(monkeypatch, capsys):
    """Run the program in this process: exit code, lines of stdout, lines of stderr."""

    def run(*words: str) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr("sys.argv", ["avloc", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            app.main()
        said = capsys.readouterr()
        return end.value.code, said.out.splitlines(), said.err.splitlines()

    return run
