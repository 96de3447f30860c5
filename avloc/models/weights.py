"""Weight files: safetensors in half precision with a JSON header that says what they are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from avloc.errors import WeightsError
from avloc.files import replacing
from avloc.models.confidence import is_calibration
from avloc.models.scales import QUALITIES
from avloc.models.two_stream import NetworkConfig, TwoStream

FORMAT = 1
BUNDLED = Path(__file__).parent.parent / "weights" / "wild.safetensors"


@dataclass(frozen=True)
class Header:
    """What a weight file says of itself.

    Attributes:
        id: the model's name.
        network: what to build.
        calibration: for each quality the numbers that turn correlations into a confidence
            (`models.confidence`).
        tags: names of the sound classes.
        recipe: the resolved recipe that made the weights.
        format: version of this layout.
    """

    id: str
    network: NetworkConfig
    calibration: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    recipe: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT


def save_weights(path: Path, network: TwoStream, header: Header) -> None:
    """Write `network` in half precision; the counters of batch normalisation are left out."""
    tensors = {
        name: tensor.detach().to(torch.float16).contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    if wrong := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise WeightsError(f"{path}: not written: {wrong[0]} is not finite in half precision")
    with replacing(path) as part:
        # Not `save_file`: what that writes only its owner may read.
        part.write_bytes(save(tensors, metadata={"avloc": json.dumps(asdict(header))}))


def read_header(path: Path) -> Header:
    """The header alone, without reading the tensors."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such weights; `avloc models` lists what there is") from None
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a safetensors file ({error})") from error
    if "avloc" not in metadata:
        raise WeightsError(f"{path}: not avloc weights (the header lacks the key 'avloc')")
    try:
        fields = json.loads(metadata["avloc"])
        if fields["format"] > FORMAT:
            raise WeightsError(
                f"{path}: written by a newer avloc (format {fields['format']}); upgrade"
            )
        return Header(**{**fields, "network": NetworkConfig(**fields["network"])})
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: the header is damaged ({error})") from error


def load_weights(path: Path) -> tuple[TwoStream, Header]:
    """The network in float32, ready for inference, and its header.

    Raises:
        WeightsError: also where the header lacks what inference needs: a calibration, without which
            no confidence is honest, and a name for each sound class.
    """
    header = read_header(path)
    calibration = header.calibration if isinstance(header.calibration, dict) else {}
    if not all(is_calibration(calibration.get(quality)) for quality in QUALITIES):
        raise WeightsError(
            f"{path}: not calibrated: the header lacks the numbers that confidence comes from; "
            "take weights that a whole `avloc train` wrote"
        )
    if len(header.tags) != header.network.tags:
        raise WeightsError(
            f"{path}: the header names {len(header.tags)} sound classes, the network has "
            f"{header.network.tags}; take weights that a whole `avloc train` wrote"
        )
    with torch.device("meta"):  # initialising weights that are replaced at once costs a second
        network = TwoStream(header.network)
    with safe_open(path, framework="pt") as file:
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    for name, _ in network.named_buffers():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.long)
    wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
    given = {name: tensor.shape for name, tensor in state.items()}
    wrong = sorted(n for n in {*wanted, *given} if wanted.get(n) != given.get(n))
    if wrong:
        names = ", ".join(wrong[:3])
        raise WeightsError(f"{path}: {len(wrong)} tensors do not fit the network ({names} ...)")
    network.load_state_dict(state, assign=True)
    return network.eval(), header


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
