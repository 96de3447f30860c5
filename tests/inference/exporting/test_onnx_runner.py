"""Exported files in ONNX Runtime: who may run what, and files whose graph is not what it says."""

import sys

import numpy as np
import pytest

from avloc.errors import EnvironmentProblem, UsageError, WeightsError
from avloc.inference import load_model
from avloc.inference.loading import load_engine
from avloc.models.onnx_file import FACTS, HEADER, read_onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture
def changed(small_onnx, tmp_path):
    """The exported file after `change` to its model."""

    def run(change):
        model = onnx.load(small_onnx.path)
        change(model)
        path = tmp_path / "changed.onnx"
        onnx.save(model, path)
        return path

    return run


def told(model, key, old, new):
    (entry,) = [entry for entry in model.metadata_props if entry.key == key]
    assert old in entry.value
    entry.value = entry.value.replace(old, new)


def renamed(model, old, new):
    for node in model.graph.node:
        for names in (node.input, node.output):
            for number, name in enumerate(names):
                names[number] = new if name == old else name
    for value in (*model.graph.input, *model.graph.output):
        value.name = new if value.name == old else value.name


def asked(path):
    engine = load_engine(path, "cpu")
    sound = np.zeros((2, round(engine.window * engine.rate)), np.float32)
    frames = np.zeros((2, *engine.prepare(np.zeros((64, 64, 3), np.uint8)).shape), np.uint8)
    return engine.look(frames, engine.hear(sound))


def refused(path, match):
    with pytest.raises(WeightsError, match=match) as caught:
        asked(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_is_a_model_like_any_other(small_weights, small_onnx):
    """Named by its path alone; the picture has any size, the wave any length and rate."""
    given, wanted = (load_model(str(path), "cpu") for path in (small_onnx.path, small_weights))
    assert given.id == wanted.id == "small-1"
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (77, 130, 3), np.uint8)
    wave = (0.1 * rng.standard_normal(30_000)).astype(np.float32)
    one, other = (model.heatmap(frame, wave, 16_000) for model in (given, wanted))
    np.testing.assert_allclose(one.values, other.values, atol=1e-4 * np.ptp(other.values))
    assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
    assert [tag.name for tag in one.tags] == [tag.name for tag in other.tags]


def test_which_runtime_runs_what(small_weights, small_onnx, tmp_path):
    assert asked(small_onnx.path)
    load_engine(small_onnx.path, "cpu", runtime="onnxruntime")
    load_engine(small_weights, "cpu", runtime="torch")
    for path, runtime, match in (
        (small_onnx.path, "torch", "PyTorch does not run ONNX files"),
        (small_weights, "onnxruntime", "make one with avloc models export"),
        (small_onnx.path, "tensorrt", "unknown runtime 'tensorrt'; use torch or onnxruntime"),
        (tmp_path / "p.pt2", None, r"torch\.export\.load"),
    ):
        with pytest.raises(UsageError, match=match):
            load_engine(path, "cpu", runtime=runtime)


def test_devices(small_onnx):
    assert load_engine(small_onnx.path).device.type in ("cpu", "cuda")
    with pytest.raises(UsageError, match="onnxruntime runs on auto, cpu or cuda"):
        load_engine(small_onnx.path, "mps")
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(EnvironmentProblem, match="use onnxruntime-gpu"):
            load_engine(small_onnx.path, "cuda")


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_the_extra_is_named_where_it_is_missing(small_onnx, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        EnvironmentProblem, match=rf"needs {package}, .*pip install 'avloc\[onnx\]'"
    ):
        load_engine(small_onnx.path, "cpu")


def test_a_graph_of_other_inputs_or_outputs(changed):
    refused(changed(lambda m: renamed(m, "heatmap", "map")), r"gives \['map', 'strength',")
    refused(changed(lambda m: renamed(m, "frames", "images")), r"takes \['images', 'wave'\]")


def test_a_graph_that_onnxruntime_does_not_know(changed):
    def change(model):
        model.graph.node[0].op_type = "Nonesuch"

    refused(changed(change), r"refused by onnxruntime \(.*Nonesuch")


def test_a_graph_that_gives_other_things_than_its_header_says(changed):
    more = '"tags": ["a", "b", "c", "d", "e", "f"]'

    def change(model):
        told(model, HEADER, '"tags": ["a", "b", "c", "d", "e"]', more)
        told(model, HEADER, '"tags": 5', '"tags": 6')

    refused(changed(change), "gives 5 sound classes, its header names 6")


def test_a_map_that_is_none(changed):
    def change(model):
        renamed(model, "heatmap", "hidden")
        node = onnx.helper.make_node("ReduceMean", ["hidden"], ["heatmap"], keepdims=0)
        model.graph.node.append(node)
        renamed_output = next(v for v in model.graph.output if v.name == "hidden")
        renamed_output.name = "heatmap"
        renamed_output.type.tensor_type.ClearField("shape")

    refused(changed(change), r"damaged: heatmap of 2 items is float32 \(\)")


def test_preprocessing_that_is_not_where_the_file_says(changed):
    def change(model):
        told(model, FACTS, '"inside"', '"outside"')

    refused(changed(change), "onnxruntime failed")


def test_a_file_with_its_middle_cut_out(small_onnx, tmp_path):
    data = small_onnx.path.read_bytes()
    (tmp_path / "cut.onnx").write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match="cut off") as caught:
        read_onnx(tmp_path / "cut.onnx")
    assert "\n" not in str(caught.value)
