"""hf://owner/name against a local server: what arrives, what stays, what is said of failures."""

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

import avloc
from avloc.checksums import beside, checksum
from avloc.errors import EnvironmentProblem, UsageError, WeightsError
from avloc.models.catalogue import available_models, find_weights, read_card
from avloc.models.hub import find_in_hub, hub_model
from avloc.models.weights import read_header

CARD = b"---\nlicense: mit\ndatasets: [coco, esc-50]\n---\n\n# Theirs\n"


@pytest.fixture
def published(hub, tiny):
    hub.repos["ann/tiny"] = {
        "model.safetensors": tiny.read_bytes(),
        "README.md": CARD,
        "pytorch_model.bin": b"a pickle",
        ".gitattributes": b"",
    }
    return hub


def refused(name, match, kind=WeightsError):
    with pytest.raises(kind, match=match) as caught:
        find_weights(name)
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_a_model_is_fetched_once_and_kept(published, tiny, tmp_path):
    path = find_weights("hf://ann/tiny")
    folder = tmp_path / "home" / "models" / "hub" / "ann" / "tiny"
    assert path == folder / "model.safetensors"
    assert path.read_bytes() == tiny.read_bytes()
    assert beside(path).read_text() == f"{checksum(tiny)}  model.safetensors\n"
    kept = {one.name for one in folder.iterdir()} - {".lock"}
    assert kept == {"model.safetensors", "model.safetensors.sha256", "README.md"}
    assert not any("pytorch_model.bin" in asked[1] for asked in published.asked)
    subprocess.run(["sha256sum", "-c", "model.safetensors.sha256"], cwd=folder, check=True)

    published.asked.clear()
    published.repos.clear()
    assert find_weights("hf://ann/tiny") == path
    assert published.asked == []  # neither a newer version nor the network is looked for


def test_it_runs_and_is_listed_with_its_card(published, tiny):
    assert avloc.load_model("hf://ann/tiny", device="cpu").id == "tiny-1"
    assert available_models() == ["bundled", "hf://ann/tiny"]
    card = read_card("hf://ann/tiny")
    assert (card.licence, card.trained_on, card.text) == ("mit", "coco, esc-50", "# Theirs\n")
    assert card.sha256 == checksum(tiny)
    assert card.input == "about 288 x 288 px in the picture's own shape, 1.5 s of sound"


@pytest.mark.parametrize("revision", ["v1", "refs/pr/1"])
def test_revisions_are_kept_apart(published, revision):
    main, other = find_weights("hf://ann/tiny"), find_weights(f"hf://ann/tiny@{revision}")
    assert main.parent != other.parent
    assert other.parent.parent == main.parent.parent
    assert f"hf://ann/tiny@{revision}" in available_models()
    refused("hf://ann/tiny@v2", "has no revision 'v2'")


def test_the_only_safetensors_of_a_repository(hub, tiny):
    hub.repos["ann/one"] = {"wild.safetensors": tiny.read_bytes(), "best.pth": b"x"}
    assert find_weights("hf://ann/one").name == "wild.safetensors"
    assert read_card("hf://ann/one").id == "tiny-1"


def test_a_header_that_stands_in_config_json_alone(hub, tiny, tmp_path):
    from avloc.models.pushing import write_folder

    write_folder(str(tiny), tmp_path / "out")
    bare = tmp_path / "bare.safetensors"
    save_file(load_file(tiny), bare)
    config = (tmp_path / "out" / "config.json").read_bytes()
    hub.repos["ann/bare"] = {"model.safetensors": bare.read_bytes(), "config.json": config}
    assert read_header(find_weights("hf://ann/bare")) == read_header(tiny)
    hub.repos["ann/lost"] = {"model.safetensors": bare.read_bytes(), "config.json": b"{}"}
    with pytest.raises(WeightsError, match="lacks the key 'avloc'"):
        read_header(find_weights("hf://ann/lost"))


def test_repositories_without_weights(hub, tiny):
    data = tiny.read_bytes()
    hub.repos["ann/none"] = {"README.md": b"# Hello"}
    hub.repos["ann/pickle"] = {"pytorch_model.bin": b"cos\nsystem\n"}
    hub.repos["ann/many"] = {"a.safetensors": data, "b.safetensors": data}
    hub.repos["ann/evil"] = {"../../x.safetensors": data, "sub/y.safetensors": data}
    page = f"{hub.address}/ann/"
    refused("hf://ann/none", f"no safetensors in {page}none$")
    refused("hf://ann/pickle", "'pytorch_model.bin': fetch that yourself if you trust it, then avl")
    refused("hf://ann/many", r"several weights in it \('a.safetensors', 'b.safetensors'\); fetch o")
    refused("hf://ann/evil", "no safetensors in")
    assert available_models() == ["bundled"]


@pytest.mark.parametrize(
    "name",
    [
        *("hf://", "hf://ann", "hf://ann/", "hf://ann/tiny/more", "hf:///tiny", "hf://ann/../x"),
        *(
            "hf://../x",
            "hf://ann/..",
            "hf://.ann/x",
            "hf://ann/x@",
            "hf://ann/x@../y",
            "hf://a b/c",
        ),
        *("hf://ann/x@a/../b", "hf://ann/x@/a", "hf://ann\\x/y", "hf://ann/x%2F..", "hf://ann/x\n"),
        *("hf://ann/x--y", "hf://ann/x.git", "hf://ann/x?y", "hf://ann/\u00e4"),
    ],
)
def test_names_that_could_lead_elsewhere(hub, name):
    with pytest.raises(UsageError, match="names no model of the hub; write hf://owner/name"):
        find_in_hub(name)
    assert hub.asked == []


def test_names_of_the_hub():
    found = hub_model("hf://A.b-c_1/x.Y-z@v1.0")
    assert (found.repo, found.revision, str(found)) == (
        "A.b-c_1/x.Y-z",
        "v1.0",
        "hf://A.b-c_1/x.Y-z@v1.0",
    )


def test_nothing_of_that_name(published):
    refused(
        "hf://ann/gone", f"no such model at {published.address}/ann/gone, or not for you to see"
    )


@pytest.mark.parametrize(
    ("status", "code", "match"),
    [
        (401, "", "no such model at .* set HF_TOKEN"),
        (401, "RepoNotFound", "no such model at .* set HF_TOKEN"),
        (403, "GatedRepo", "its authors want to be asked first: do so at .*/ann/tiny, then"),
        (403, "", "not for you to see; check the name, or set HF_TOKEN"),
        (500, "", "the hub answers 500"),
        (429, "", "the hub answers 429"),
    ],
)
def test_answers_that_are_none(published, status, code, match):
    published.status, published.code = status, code
    refused("hf://ann/tiny", match)
    published.status = 0
    assert find_weights("hf://ann/tiny").is_file()


def test_the_token_is_sent(published, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    find_weights("hf://ann/tiny")
    assert {asked[2] for asked in published.asked} == {"Bearer hf_secret"}


def by_other_means(told, hub, home, name="model.safetensors"):
    """Whether an error says what to fetch and where to put it, to the letter."""
    url = f"{hub.address}/ann/tiny/resolve/main/{name}"
    place = home / "models" / "hub" / "ann" / "tiny" / name
    return f"fetch {url} by other means and put it there as {place}" in told


def test_no_network(published, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    home = tmp_path / "home"
    told = refused("hf://ann/tiny", "HF_HUB_OFFLINE is set")
    assert by_other_means(told, published, home)
    assert published.asked == []
    # What it tells to do is enough.
    place = home / "models" / "hub" / "ann" / "tiny" / "model.safetensors"
    place.write_bytes(tiny.read_bytes())
    assert find_weights("hf://ann/tiny") == place


def test_a_hub_that_is_not_there(published, tmp_path, monkeypatch):
    closed = "http://127.0.0.1:9"
    monkeypatch.setattr(constants, "ENDPOINT", closed)
    template = closed + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    published.address = closed
    told = refused("hf://ann/tiny", r"not to be had now \(ConnectError: ")
    assert by_other_means(told, published, tmp_path / "home")


def test_the_environment_decides(published):
    """As users set it, in a process of its own."""
    code = """if True:
        from huggingface_hub import constants
        from avloc.errors import WeightsError
        from avloc.models.hub import find_in_hub
        try:
            find_in_hub("hf://ann/tiny")
        except WeightsError as error:
            print(error)
        constants.HF_HUB_OFFLINE = False
        print(find_in_hub("hf://ann/tiny"))
    """
    env = {"HF_ENDPOINT": published.address, "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_XET": "1"}
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, env={**os.environ, **env}, stdout=subprocess.PIPE, check=True)
    first, second = done.stdout.decode().splitlines()
    assert "HF_HUB_OFFLINE is set" in first
    assert published.address in first
    assert second.endswith("hub/ann/tiny/model.safetensors")


def test_other_bytes_than_the_hub_told(published):
    published.told["model.safetensors"] = "0" * 64
    refused("hf://ann/tiny", "what came for model.safetensors is not what the hub says it has")
    assert available_models() == ["bundled"]
    published.told.clear()
    assert find_weights("hf://ann/tiny").is_file()


def test_a_download_that_breaks_off_goes_on_later(published, monkeypatch, tiny):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    published.cut = 10_000
    data = tiny.read_bytes()
    told = refused("hf://ann/tiny", r"not to be had now \(.*; try again")
    assert available_models() == ["bundled"], told
    published.cut = None
    assert find_weights("hf://ann/tiny").read_bytes() == data


def test_files_that_changed_since(published):
    path = find_weights("hf://ann/tiny")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused("hf://ann/tiny", "damaged or changed: its SHA-256 is .* fetch or convert it again")


def test_a_home_that_cannot_be_written(published, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", "/proc/avloc"):
        monkeypatch.setenv("AVLOC_HOME", str(home))
        refused("hf://ann/tiny", f"^{home}.*cannot be written .*set AVLOC_HOME", EnvironmentProblem)
        assert available_models() == ["bundled"]


def test_a_disk_that_is_too_small(published, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    refused("hf://ann/tiny", r"cannot be written \(No space left", EnvironmentProblem)
    assert not any("/resolve/" in asked[1] for asked in published.asked)


def test_a_disk_that_fills_up(published, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("huggingface_hub.hf_hub_download", full)
    refused("hf://ann/tiny", r"cannot be written \(No space left", EnvironmentProblem)
