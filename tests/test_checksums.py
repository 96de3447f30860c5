import subprocess

import pytest

from avloc.checksums import beside, checksum, record, verify
from avloc.errors import WeightsError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a b.safetensors"
    path.write_bytes(b"abc")
    return path


def test_sha256(file):  # FIPS 180-2, appendix B.1
    assert checksum(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_sha256sum_reads_what_is_recorded(file):
    record(file)
    assert beside(file).name == "a b.safetensors.sha256"
    subprocess.run(["sha256sum", "-c", beside(file).name], cwd=file.parent, check=True)
    verify(file)
    file.write_bytes(b"abd")
    with pytest.raises(
        WeightsError, match=r"is a52d159f262b2c6d\.\.\., not ba7816bf8f01cfea\.\.\."
    ):
        verify(file)


def test_what_sha256sum_writes_is_read(file):
    told = subprocess.check_output(["sha256sum", "-b", file.name], cwd=file.parent, text=True)
    beside(file).write_text(told.upper())
    verify(file)


def test_a_file_without_a_checksum_passes(file):
    verify(file)


@pytest.mark.parametrize("told", [b"", b"abc", b"0" * 63, b"\xff\xfe", b"0" * 65])
def test_checksums_that_are_none(file, told):
    beside(file).write_bytes(told)
    with pytest.raises(WeightsError, match=r"\.sha256: (no SHA-256 in it|cannot be read)"):
        verify(file)
