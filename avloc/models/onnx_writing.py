"""Traced programs as one ONNX file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch.export import ExportedProgram

from avloc.models.programs import quiet

if TYPE_CHECKING:
    from onnx import ModelProto

SIZES = {
    "frames": {0: "batch", 2: "height", 3: "width"},
    "heard": {0: "batch", 1: "steps"},
    "heatmap": {0: "batch", 1: "rows", 2: "columns"},
    "strength": {0: "batch"},
    "objectness": {0: "batch", 1: "object_rows", 2: "object_columns"},
}
"""How the open sizes of inputs and outputs are called."""


def to_onnx(
    hearing: ExportedProgram, looking: ExportedProgram, sound: str, seen: Sequence[str]
) -> ModelProto:
    """One model of both: frames and sound in, what `looking` gives and what is heard out.

    No node of the first part depends on frames, so that the parts can be taken apart again.

    Args:
        hearing, looking: of `programs.trace_parts`.
        sound: what the input of `hearing` is called.
        seen: what the outputs of `looking` are called.
    """
    from onnx import helper

    first = _convert(hearing, [sound], ["heard"], "hear/")
    second = _convert(looking, ["frames", "heard"], list(seen), "look/")
    open_sizes = {**SIZES, sound: _lengths(first, sound)}
    graph = helper.make_graph(
        [*first.graph.node, *second.graph.node],
        "avloc",
        _sized([second.graph.input[0], first.graph.input[0]], open_sizes),
        _sized([*second.graph.output, first.graph.output[0]], open_sizes),
        [*first.graph.initializer, *second.graph.initializer],
    )
    sets = {each.domain: each.version for each in (*first.opset_import, *second.opset_import)}
    return helper.make_model(
        graph,
        ir_version=first.ir_version,
        opset_imports=[helper.make_opsetid(*each) for each in sets.items()],
        functions=[*first.functions, *second.functions],
        producer_name="avloc",
    )


def set_metadata(model: ModelProto, told: Mapping[str, str]) -> None:
    """Write `told` into the model, in place of what it said before."""
    from onnx import helper

    helper.set_model_props(model, dict(told))


def _convert(
    program: ExportedProgram, inputs: Sequence[str], outputs: Sequence[str], prefix: str
) -> ModelProto:
    import torch
    from onnx import compose

    with quiet():
        made: Any = torch.onnx.export(
            program,
            (),
            dynamo=True,
            input_names=inputs,
            output_names=outputs,
            optimize=True,
            verbose=False,
        )
    model: ModelProto = made.model_proto
    for node in model.graph.node:
        # Where each node came from, down to the folders of this machine.
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    return compose.add_prefix(
        model, prefix, rename_inputs=False, rename_outputs=False, inplace=True
    )


def _lengths(model: ModelProto, sound: str) -> Mapping[int, str]:
    """A wave (b, n), spectrograms (b, 1, f, t), or k of them (b, k, 1, f, t)."""
    rank = len(model.graph.input[0].type.tensor_type.shape.dim)
    place, name = {2: (1, "samples"), 4: (3, "columns_of_time"), 5: (1, "windows")}[rank]
    return {0: "batch", place: name}


def _sized(values: Iterable[Any], open_sizes: Mapping[str, Mapping[int, str]]) -> list[Any]:
    kept = []
    for value in values:
        sizes = value.type.tensor_type.shape.dim
        for place, name in open_sizes[value.name].items():
            if not sizes[place].HasField("dim_value"):
                sizes[place].dim_param = name
        kept.append(value)
    return kept
