"""What a number was made with: against git, hashlib and the installed packages."""

import hashlib
import subprocess

import numpy as np

from avloc.evaluation.provenance import commit, sha256, versions


def git(folder, *words):
    name = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", *name, *words], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().strip()


def test_the_commit_is_that_of_git(tmp_path):
    package = tmp_path / "repository" / "package"
    package.mkdir(parents=True)
    assert commit(package) is None
    git(package.parent, "init", "-q")
    assert commit(package) is None
    git(package.parent, "commit", "-q", "--allow-empty", "-m", "one")
    assert commit(package) == git(package.parent, "rev-parse", "HEAD")
    git(package.parent, "pack-refs", "--all")
    assert commit(package) == git(package.parent, "rev-parse", "HEAD")
    git(package.parent, "checkout", "-q", "--detach")
    assert commit(package) == git(package.parent, "rev-parse", "HEAD")


def test_the_rest(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()
    assert versions()["numpy"] == np.__version__
