"""Models in fewer bytes: what is stored, what stays, and what comes out."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

from avloc.models.shrinking import GROUP, shrunk  # noqa: E402


def weights():
    rng = np.random.default_rng(0)
    return {
        "bank": rng.random((64, 32)).astype(np.float32),
        "conv": rng.standard_normal((48, 8, 2, 2)).astype(np.float32),
        "odd": rng.standard_normal((48, 48, 3, 3)).astype(np.float32)[:, :, :1, :].copy(),
        "dense": rng.standard_normal((48, 40)).astype(np.float32),
        "bias": rng.standard_normal(48).astype(np.float32),
    }


@pytest.fixture(scope="module")
def model():
    """A spectrogram's matrix, two convolutions, and a dense layer of their means, used twice."""
    make = onnx.helper.make_node
    nodes = [
        make("MatMul", ["x", "bank"], ["bands"]),
        make("Reshape", ["bands", "shape"], ["picture"]),
        make("Conv", ["picture", "conv", "bias"], ["first"], kernel_shape=[2, 2]),
        make("Conv", ["first", "odd"], ["second"], kernel_shape=[1, 3]),
        make("ReduceMean", ["second", "axes"], ["mean"], keepdims=0),
        make("Gemm", ["mean", "dense"], ["once"]),
        make("MatMul", ["mean", "dense"], ["twice"]),
        make("Sub", ["once", "twice"], ["zero"]),
        make("Add", ["once", "zero"], ["y"]),
    ]
    for node in nodes:
        node.name = (
            f"node {node.output[0]}"  # as exported ones have, which is how they are left out
        )
    numbers = {"shape": np.array([-1, 8, 8, 8]), "axes": np.array([2, 3])}
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [value("x", onnx.TensorProto.FLOAT, ["batch", 16, 64])],
        [value("y", onnx.TensorProto.FLOAT, ["batch", 40])],
        [onnx.numpy_helper.from_array(v, n) for n, v in (weights() | numbers).items()],
    )
    return onnx.helper.make_model(
        graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 18)]
    )


def run(model):
    x = np.random.default_rng(1).random((3, 16, 64)).astype(np.float32)
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0]


def stored(model):
    return {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}


@pytest.mark.parametrize(
    ("precision", "share", "off"), [("float16", 0.6, 0.002), ("int8", 0.5, 0.05)]
)
def test_files_are_smaller_and_answers_nearly_the_same(model, precision, share, off):
    before = model.SerializeToString()
    small = shrunk(model, precision)
    assert model.SerializeToString() == before
    assert small.ByteSize() < share * len(before)
    given, wanted = run(small), run(model)
    assert given.shape == wanted.shape
    assert 0 < np.abs(given - wanted).max() < off * np.ptp(wanted)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_what_comes_before_the_network_stays_exact(model, precision):
    kept = stored(shrunk(model, precision))
    for name in ("bank", "bias", "shape"):
        np.testing.assert_array_equal(kept[name], stored(model)[name])


def test_half_precision_is_that_of_each_weight(model):
    kept = stored(shrunk(model, "float16"))
    for name in ("conv", "odd", "dense"):
        np.testing.assert_array_equal(kept[f"{name}/half"], weights()[name].astype(np.float16))
        assert name not in kept


def test_bytes_are_within_half_a_step_of_each_weight(model):
    """By hand: 32 weights of a channel share a step where they divide evenly, else all of them."""
    kept = stored(shrunk(model, "int8"))
    for name, together in (("conv", GROUP), ("odd", 3 * 48)):
        whole, scale = kept[f"{name}/bytes"], kept[f"{name}/scale"]
        assert whole.dtype == np.int8
        assert scale.shape == (48, whole[0].size // together, 1)
        again = (whole * scale).reshape(weights()[name].shape)
        step = np.repeat(scale, together, axis=2).reshape(again.shape)
        assert (np.abs(again - weights()[name]) <= step / 2 * 1.001).all()
        largest = np.abs(weights()[name]).reshape(48, -1, together).max(2, keepdims=True)
        np.testing.assert_allclose(scale, largest / 127, rtol=1e-6)


def test_a_channel_of_zeros_stays_one(model):
    dead = onnx.ModelProto()
    dead.CopyFrom(model)
    for tensor in dead.graph.initializer:
        if tensor.name == "conv":
            zero = weights()["conv"]
            zero[0] = 0
            tensor.CopyFrom(onnx.numpy_helper.from_array(zero, "conv"))
    assert np.isfinite(run(shrunk(dead, "int8"))).all()
