"""Small annotation files in the forms that authors ship."""

import json

import pytest


@pytest.fixture
def write(tmp_path):
    """Writes a list under a name: text as it is, anything else as JSON."""

    def write_(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write_


@pytest.fixture
def told():
    """What is told of each item, in order."""
    return lambda benchmark: [(problem.id, problem.what) for problem in benchmark.problems]


@pytest.fixture
def annotations(data_dir):
    """The authors' own lists, where AVLOC_DATA has them."""
    folder = data_dir / "annotations"
    if not folder.is_dir():
        pytest.skip("AVLOC_DATA has no folder annotations")
    return folder


@pytest.fixture
def vggss(write):
    """Four clips, two of them with what is wrong in the real file."""
    return write(
        "vggss.json",
        [
            {
                "file": "zpWuikVorYg_000032",
                "class": "elk bugling",
                "bbox": [[0.4, 0.25, 0.6, 0.75]],
            },
            {
                "file": "gEvCUcZ6w88_000030",
                "class": "female speech, woman speaking",
                "bbox": [[0.4, 0.35, -2.8823037615171176e16, 0.6], [0, 0, 0.5, 0.5]],
            },
            {
                "file": "M1P1xla8rg0_000000",
                "class": "playing cello",
                "bbox": [[0.2, 1.0, 0.7, 1.0]],
            },
            {"file": "JIemsK_0lXc_000364", "class": "playing cello", "bbox": [[0, 0, 1, 1]]},
        ],
    )


@pytest.fixture(scope="session")
def aligned():
    """Makes a row of SSLalignment's lists: picture and sound on the authors' machine, one box."""

    def row(image, box, root="/mnt/x/synthetic3241", sound=None):
        stem = image.rpartition("/")[2].rpartition(".")[0]
        sound = sound or f"audio_wav/{stem}.wav"
        return {"image": f"{root}/{image}", "audio": f"{root}/{sound}", "gt_box": box}

    return row
