import pytest

from avloc.errors import UsageError, WeightsError
from avloc.models import catalogue
from avloc.models.catalogue import find_weights, read_card
from avloc.models.two_stream import NetworkConfig, TwoStream
from avloc.models.weights import Header, checksum, save_weights


@pytest.fixture
def weights(tmp_path):
    config = NetworkConfig(embedding=8, hidden=4, lateral=4, tag_hidden=4, tags=5)
    path = tmp_path / "tiny.safetensors"
    network = TwoStream(config)
    save_weights(path, network, Header("tiny-1", config))
    return path, network


def test_a_card_joins_the_file_and_the_words_beside_it(weights):
    path, network = weights
    path.with_suffix(".md").write_text("---\nlicense: CC0\ngrid: 2 x 2\n---\n\n# Tiny\n", "utf-8")
    card = read_card(str(path))
    assert (card.id, card.licence, card.grid, card.trained_on) == ("tiny-1", "CC0", "2 x 2", "")
    assert card.text == "# Tiny\n"
    assert card.size == path.stat().st_size
    assert card.sha256 == checksum(path)
    tensors = network.state_dict()
    assert card.parameters == sum(
        tensor.numel() for name, tensor in tensors.items() if "num_batches" not in name
    )


def test_weights_without_a_card_have_no_words(weights):
    assert read_card(str(weights[0])).text == ""


def test_a_name_that_is_no_model_is_refused():
    with pytest.raises(UsageError, match="no model 'bundeld'; known: bundled"):
        find_weights("bundeld")


def test_missing_bundled_weights_say_so(monkeypatch, tmp_path):
    monkeypatch.setitem(catalogue.NAMES, "bundled", tmp_path / "gone.safetensors")
    assert catalogue.available_models() == []
    with pytest.raises(WeightsError, match="reinstall avloc"):
        find_weights("bundled")
