"""What there is to say of a published method, in words."""

from __future__ import annotations

from typing import Any

from avloc.features.pictures import PICTURES
from avloc.features.sounds import SOUNDS
from avloc.models.dual_encoder import DualConfig
from avloc.models.published.methods import Method

VERIFIED = "input and maps equal those of its code, with weights made by a formula"


def input_of(config: DualConfig) -> str:
    """What a network takes: pixels, seconds, sampling rate."""
    sound = SOUNDS[config.waves]
    shape = "middle square" if PICTURES[config.picture].crop else "squeezed"
    flow = ", optical flow" if config.flow else ""
    rate = f"{sound.rate / 1000:g} kHz"
    return f"{config.side} x {config.side} px ({shape}), {sound.seconds:g} s at {rate}{flow}"


def grid_of(config: DualConfig) -> str:
    """How many cells its map has."""
    side = config.side // config.stride
    return f"{side} x {side}"


def card_of(method: Method, source: dict[str, Any] | None = None) -> str:
    """A method in Markdown, and with `source`, from a header, the file it was converted from."""
    config = method.config
    values = "cosines" if config.head == "cosine" else "products of which the order tells"
    if config.temperature != 1:
        values += f", which the original divides by {config.temperature:g}"
    lines = [
        f"# {method.title}",
        "",
        f"* Code: github.com/{method.repository}, licence: {method.licence}. The weights come with "
        "no licence of their own: ask their authors before more than research.",
        f"* Trained on: {method.trained_on}",
        f"* Weights: {method.downloads}",
        f"* Input: {input_of(config)}",
        f"* Map: {grid_of(config)} cells, {values}",
        f"* Scored by its authors with: --protocol {method.protocol}",
        f"* Verified: {VERIFIED if method.verified else 'not against numbers of its own code'}",
    ]
    lines += [f"* Note: {method.note}"] if method.note else []
    if source is None:
        files = "FOLDER" if method.roles else "best.pth"
        name = f"{method.name}.safetensors"
        lines += ["", f"    avloc models convert {files} --method {method.name} -o {name}"]
        lines += [f"    avloc localize clip.mp4 --model {name}"]
        return "\n".join(lines) + "\n"
    files = ", ".join(f"{name} (sha256 {sha[:16]})" for name, sha in source["files"].items())
    lines += [f"* Converted from: {files}"]
    numbers = ", ".join(f"{name} {value:g}" for name, value in source["numbers"].items())
    lines += [f"* Beside its weights stood: {numbers}"] if numbers else []
    left = ", ".join(source["dropped"])
    lines += [f"* Left out, since no map depends on it: {left}"] if left else []
    return "\n".join(lines) + "\n"
