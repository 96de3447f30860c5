"""ONNX models at lower precision, so that files are smaller.

Convolutions compute in single precision either way. Processors have none in half precision, and as
8-bit integers those of small networks are slower and lose most of the map (docs/models.md has the
numbers). What comes before the first convolution is the spectrogram, and stays as it is.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from avloc.models.programs import quiet

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

Message = TypeVar("Message")

LEAST = 1024
"""Weights that a layer has at least to be worth it."""

GROUP = 32
"""Weights of a channel that share a scale. With one for all of them, maps get twice as noisy."""

LAYERS = ("Conv", "Gemm", "MatMul")

Packing = Callable[[str, np.ndarray], tuple[list["TensorProto"], list["NodeProto"]]]
"""A weight's name and values -> what to store, and what makes the values of it again."""


def shrunk(model: ModelProto, precision: str) -> ModelProto:
    """A copy of `model` in ``float16`` or ``int8``; inputs and outputs stay as they are.

    ``float16`` stores weights in half precision. ``int8`` quantizes matrix products dynamically
    and stores the weights of convolutions as 8-bit integers with a scale for every few.
    """
    if precision == "float16":
        return _packed(model, LAYERS, _half)
    return _packed(quantized(model, ("Gemm", "MatMul")), ("Conv",), _bytes)


def _half(name: str, values: np.ndarray) -> tuple[list[TensorProto], list[NodeProto]]:
    from onnx import TensorProto, helper, numpy_helper

    stored = numpy_helper.from_array(values.astype(np.float16), f"{name}/half")
    return [stored], [helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT)]


def _bytes(name: str, values: np.ndarray) -> tuple[list[TensorProto], list[NodeProto]]:
    from onnx import TensorProto, helper, numpy_helper

    flat = values.reshape(len(values), -1)
    together = GROUP if flat.shape[1] % GROUP == 0 else flat.shape[1]
    groups = flat.reshape(len(flat), -1, together)
    most = np.abs(groups).max(axis=2, keepdims=True)
    scale = np.where(most > 0, most / 127, 1).astype(np.float32)
    stored = [
        numpy_helper.from_array(np.rint(groups / scale).astype(np.int8), f"{name}/bytes"),
        numpy_helper.from_array(scale, f"{name}/scale"),
        numpy_helper.from_array(np.array(values.shape, np.int64), f"{name}/shape"),
    ]
    # Not DequantizeLinear, which the runtime would compute again for every answer.
    whole, scaled = f"{name}/whole", f"{name}/scaled"
    return stored, [
        helper.make_node("Cast", [stored[0].name], [whole], to=TensorProto.FLOAT),
        helper.make_node("Mul", [whole, stored[1].name], [scaled]),
        helper.make_node("Reshape", [scaled, stored[2].name], [name]),
    ]


def _packed(model: ModelProto, layers: Collection[str], pack: Packing) -> ModelProto:
    """A copy whose large weights, used by nothing but `layers`, are stored as `pack` says."""
    from onnx import numpy_helper

    made = _copy(model)
    graph = made.graph
    used, learned = _users(graph), _learned(graph)
    kept, first = [], []
    for tensor in graph.initializer:
        fits = all(
            node.op_type in layers and node.output[0] in learned for node in used[tensor.name]
        )
        large = len(tensor.dims) > 1 and np.prod(tensor.dims) >= LEAST
        if tensor.data_type == tensor.FLOAT and large and fits:
            tensors, nodes = pack(tensor.name, numpy_helper.to_array(tensor))
            kept += tensors
            first += nodes
        else:
            kept.append(_copy(tensor))
    nodes = first + [_copy(node) for node in graph.node]
    graph.ClearField("initializer")
    graph.ClearField("node")
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return made


def quantized(model: ModelProto, layers: Collection[str]) -> ModelProto:
    """A copy whose `layers` have 8-bit weights and, as they come, 8-bit inputs."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    learned = _learned(model.graph)
    # The runtime convolves bytes only with weights that have no sign.
    kind = QuantType.QUInt8 if "Conv" in layers else QuantType.QInt8
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder, "model.onnx")
        quantize_dynamic(
            _unshared(model),
            path,
            op_types_to_quantize=list(layers),
            nodes_to_exclude=[
                node.name for node in model.graph.node if node.output[0] not in learned
            ],
            per_channel=kind == QuantType.QInt8,
            weight_type=kind,
        )
        return onnx.load(path)


def _unshared(model: ModelProto) -> ModelProto:
    """A copy in which nothing else uses the weights of a layer.

    The quantizer transposes the weights of one product and forgets the others that use them.
    """
    made = _copy(model)
    tensors = {tensor.name: tensor for tensor in made.graph.initializer}
    for name, nodes in _users(made.graph).items():
        if name in tensors and any(node.op_type in LAYERS for node in nodes):
            for number, node in enumerate(nodes[1:]):
                own = _copy(tensors[name])
                own.name = f"{name}/{number}"
                made.graph.initializer.append(own)
                node.input[list(node.input).index(name)] = own.name
    return made


def _learned(graph: GraphProto) -> set[str]:
    """The values that convolutions give, and all that is made of them."""
    found: set[str] = set()
    for node in graph.node:
        if node.op_type == "Conv" or found.intersection(node.input):
            found.update(node.output)
    return found


def _users(graph: GraphProto) -> dict[str, list[NodeProto]]:
    """By the name of a value the nodes that take it."""
    found: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            found[name].append(node)
    return found


def _copy(message: Message) -> Message:
    made: Any = type(message)()
    made.CopyFrom(message)
    return made
