"""The published methods whose checkpoints can be read, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from avloc.models.dual_encoder import DualConfig
from avloc.models.published import denseav
from avloc.registry import Registry

Adapt = Callable[[Mapping[str, Tensor], DualConfig], tuple[dict[str, Tensor], DualConfig]]
"""(tensors of a file, network) -> what they amount to, and the network with the file's sizes."""


@dataclass(frozen=True)
class Method:
    """A method, and how its files name the parts of its network.

    Attributes:
        name: what users call it.
        title: what its paper calls it, and where that appeared.
        repository: of the code that made the files, on GitHub.
        licence: of that code; the weights come with none of their own.
        config: the network, and how it is fed.
        renames: the beginnings of names in its files, and what they are here; "" keeps the rest.
        unused: beginnings of names that no map depends on: classifiers, heads of the training,
            the other one of student and teacher.
        marks: beginnings of names without which a file is another method's.
        wrapped: whether its files name everything under ``module.``; None: some do.
        roles: the files that it is spread over, by their part, and a mark in each; {}: one file.
        settings: what a file has to say of its training where it says anything of that.
        adapt: what has to happen before names are compared; files without the marks are left alone.
        protocol: the protocol of its own evaluation script.
        trained_on: what there are weights for.
        downloads: where its authors publish them.
        verified: whether numbers of its own code were there to compare with.
        note: what to know before using it.
    """

    name: str
    title: str
    repository: str
    licence: str
    config: DualConfig
    renames: Mapping[str, str]
    protocol: str
    trained_on: str
    downloads: str
    unused: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    wrapped: bool | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    adapt: Adapt | None = None
    verified: bool = True
    note: str = ""


METHODS: Registry[Method] = Registry("method")
"""In the order in which detection takes them where several fit."""


FILE, FOLDER = "https://drive.google.com/file/d/", "https://drive.google.com/drive/folders/"


def _add(method: Method) -> Method:
    return METHODS.add(method.name, method)


_EZVSL = _add(
    Method(
        name="ezvsl",
        title="EZ-VSL (Mo and Morgado, ECCV 2022)",
        repository="stoneMo/EZ-VSL",
        licence="Apache-2.0",
        config=DualConfig("squash", "ezvsl", projections=1, temperature=0.03),
        renames={
            "imgnet.": "image.",
            "audnet.": "sound.trunk.",
            "img_proj.": "image_projections.0.",
            "aud_proj.": "sound_projections.0.",
        },
        protocol="ezvsl",
        trained_on="Flickr-10k, Flickr-144k, VGGSound-10k, VGGSound-144k, VGGSound",
        downloads=f"best.pth of each: {FOLDER}1I9nyn8VGU4HFEBDpEUpqFz1ywWcqzC6C",
        note="72 % of the VGG-SS test clips stand in its VGGSound-144k training list.",
    )
)
_add(
    replace(
        _EZVSL,
        name="fnac",
        title="FNAC (Sun et al., CVPR 2023)",
        repository="OpenNLPLab/FNAC_AVL",
        licence="none",
        protocol="fnac",
        trained_on="Flickr-10k, Flickr-144k, VGGSound-10k, VGGSound-144k",
        downloads=f"best.pth of each: {FOLDER}15NoQSmC6zIetq771pZ_Q6Z7dea957Hhz",
    )
)
_add(
    replace(
        _EZVSL,
        name="marginnce",
        title="MarginNCE (Park et al., ICASSP 2023)",
        repository="sangmin-git/MarginNCE",
        licence="unknown",
        trained_on="Flickr-144k, VGGSound-144k",
        downloads="whatever https://github.com/sangmin-git/MarginNCE links to",
        verified=False,
        note="Its network, names and preprocessing are taken to be EZ-VSL's, as SSLalignment does.",
    )
)
_PROJECTED = {
    "imgnet.": "image.",
    "audnet.": "sound.trunk.",
    "img_proj1.": "image_projections.0.",
    "img_proj2.": "image_projections.1.",
    "aud_proj1.": "sound_projections.0.",
    "aud_proj2.": "sound_projections.1.",
}
_SLAVC = _add(
    replace(
        _EZVSL,
        name="slavc",
        title="SLAVC (Mo and Morgado, NeurIPS 2022), the student",
        repository="stoneMo/SLAVC",
        config=replace(_EZVSL.config, projections=2),
        renames=_PROJECTED,
        unused=("momentum_",),
        marks=("momentum_",),
        protocol="slavc",
        trained_on="VGGSound-144k",
        downloads=f"latest.pth: {FILE}1wHufeLWZBv97IaE0cv0GrFk4pLX5NMUj",
        note="Its test commands score the student; it validates with the teacher.",
    )
)
_add(
    replace(
        _SLAVC,
        name="slavc-momentum",
        title="SLAVC (Mo and Morgado, NeurIPS 2022), the momentum teacher",
        renames={f"momentum_{theirs}": ours for theirs, ours in _PROJECTED.items()},
        unused=tuple(_PROJECTED),
    )
)
_LVS = _add(
    Method(
        name="lvs",
        title="LVS, Localizing Visual Sounds the Hard Way (Chen et al., CVPR 2021)",
        repository="hche11/Localizing-Visual-Sounds-the-Hard-Way",
        licence="Apache-2.0",
        config=DualConfig("crop", "lvs", stride=16),
        renames={
            "imgnet.": "image.",
            "audnet.": "sound.trunk.",
            "audnet.conv1_a.": "sound.trunk.conv1.",
        },
        # Both networks carry the first layers of all three kinds of input, and a classifier.
        unused=(
            *("imgnet.conv1_a.", "imgnet.conv1_flow.", "imgnet.fc."),
            *("audnet.conv1.", "audnet.conv1_flow.", "audnet.fc."),
        ),
        wrapped=True,
        protocol="lvs",
        trained_on="Flickr-SoundNet, VGGSound",
        downloads=f"Flickr: {FILE}1Rif19nk8RpxBrkGGoI92g-fssa2qsl-m, "
        f"VGGSound: {FILE}1ieyJ7rrrR5aF8SwHNGYNS9dX9t9_apsc",
    )
)
_add(
    replace(
        _LVS,
        name="sslalign",
        title="SSLalignment (Senocak et al., ICCV 2023 and TPAMI 2025)",
        repository="kaistmm/SSLalignment",
        licence="none",
        config=replace(_LVS.config, picture="squash-float", waves="sslalign"),
        wrapped=False,
        protocol="sslalign",
        trained_on="Flickr-144k, VGGSound-144k",
        downloads=f"VGGSound ours_sup: {FILE}1-WUEoAmp4WBj4Tbsi9Ybh2bq4W6-uYnd, "
        f"VGGSound ours_selfsup: {FILE}1p_eXOlZfeCo5EwY5RRkh4YnAnMZJ0Eyz, "
        f"VGGSound ours_sup_previs: {FILE}1FYv6Pt8k8MdHlBHDCaMVGtWZN_UXh_GJ, "
        f"Flickr ours_sup: {FILE}1R_LEEcUEnwREvt_ducCdnEVUI6VHvnqv, "
        f"Flickr ours_selfsup: {FILE}1HHnUc3sERGrCjUbHklS9uDdA5yxjRtKB, "
        f"Flickr ours_sup_previs: {FILE}1zs0gr1_QVfonw0Q2VVbExwUUDhJSUH35",
        note="Released files may hold heads of the training under names that nobody wrote down; "
        "leave them out by name with --unused.",
    )
)
_add(
    replace(
        _LVS,
        name="ssltie",
        title="SSL-TIE (Liu et al., ACM MM 2022)",
        repository="jinxiang-liu/SSL-TIE",
        licence="MIT",
        config=replace(_LVS.config, waves="ssltie"),
        unused=(*_LVS.unused, "vision_fc1.", "conv3.", "norm3."),
        marks=("norm3.",),
        wrapped=None,
        protocol="ssltie",
        trained_on="Flickr-10k, Flickr-144k, VGGSound-144k",
        downloads=f".pth.tar of each: {FOLDER}1KZxXbPilvJNCPaUeAeZAsUKgZoj9R9qJ",
    )
)
_add(
    Method(
        name="heartheflow",
        title="HearTheFlow (Fedorishin et al., WACV 2023)",
        repository="denfed/heartheflow",
        licence="MIT",
        config=DualConfig("squash", "heartheflow", flow=True),
        renames={
            "imgnet.": "image.",
            "audnet.": "sound.trunk.",
            "flownet.": "flow.",
            "flowatt.query_conv.": "attention.query.",
            "flowatt.key_conv.": "attention.key.",
            "flowatt.value_conv.": "attention.value.",
        },
        marks=("flownet.", "flowatt."),
        protocol="heartheflow",
        trained_on="Flickr-144k, VGGSound-144k",
        downloads=f"Flickr: {FILE}1_ZMsaf65Ikyyjx62JhJ7fab9YmZ7dgwh, "
        f"VGGSound: {FILE}1iL6G0nq9TGRTitQXOjoleIB1xrW7Yxzj",
        note="Its authors let anybody experiment and test with the weights. "
        "Sees optical flow from a frame to the next, too; in pictures alone nothing moves.",
    )
)
_VGGISH = {
    "sound.features.": "sound.features.",
    "sound.embeddings.": "sound.embeddings.",
    "sound.fc.": "sound.top.",
}
_add(
    Method(
        name="sacl",
        title="SACL (Song et al., TPAMI 2024)",
        repository="zjsong/SACL",
        licence="MIT",
        config=DualConfig("squash", "vggish", sound="vggish", stride=16),
        renames={"frame.": "image.", **_VGGISH},
        unused=("frame.fc.",),
        roles={"frame": "layer4.", "sound": "embeddings."},
        protocol="sspl",
        trained_on="Flickr-10k, Flickr-144k, VGGSound-10k, VGGSound-144k",
        downloads="frame_best.pth and sound_best.pth of each: "
        f"Flickr-10k: {FILE}1fiP1lVU7a-PqkcbGdvcBNOz7V1yJ8D4w, "
        f"Flickr-144k: {FILE}174pLlS2s-zKLOsoB7BUDwHtSZTt0YYKk, "
        f"VGGSound-10k: {FILE}1bNND4TH70cEwJhGsP0cjdi1-h0wwHRL3, "
        f"VGGSound-144k: {FILE}1Gy_EAdctbRcRkD9rpJxQX7tK4dlkMurF",
    )
)
_add(
    Method(
        name="sspl",
        title="SSPL with its predictive coding module (Song et al., CVPR 2022)",
        repository="zjsong/SSPL",
        licence="MIT",
        config=DualConfig("crop", "vggish", "vgg16", "vggish", stride=16, cycles=4),
        renames={
            "frame.feat_extractor.": "image.",
            **_VGGISH,
            "pcm.PredProcess.0.": "coding.hear.",
            "pcm.PredProcess.1.conv2d.": "coding.down.0.",
            "pcm.PredProcess.2.conv2d.": "coding.down.1.",
            "pcm.ErrorProcess.0.": "coding.up.0.",
            "pcm.ErrorProcess.1.": "coding.up.1.",
            "pcm.ErrorProcess.2.convtrans2d.": "coding.up.2.",
            "pcm.ErrorProcess.3.": "coding.out.",
            "pcm.b0.": "coding.trust.",
            "pcm.a0.": "coding.gain.",
            "pcm.BNPred.": "coding.down_norms.",
            "pcm.BNError.": "coding.up_norms.",
            **{f"pcm.BNPred_step.{k}.": f"coding.down_norms.{k + 2}." for k in range(8)},
            **{f"pcm.BNError_step.{k}.": f"coding.up_norms.{k + 3}." for k in range(12)},
        },
        unused=("head.",),
        roles={
            "frame": "feat_extractor.",
            "sound": "embeddings.",
            "pcm": "PredProcess.",
            "head": "projector.",
        },
        protocol="sspl",
        trained_on="none released",
        downloads="its training writes frame_best, sound_best, pcm_best and ssl_head_best .pth",
    )
)
_add(
    Method(
        name="rcgrad",
        title="RCGrad, How to Listen? Rethinking Visual Sound Localization (Wu et al., 2022)",
        repository="hohsiangwu/rethinking-visual-sound-localization",
        licence="MIT",
        config=DualConfig(
            "squash-clip", "rcgrad", stride=16, sound_stride=32, pooled="mean", head="dot"
        ),
        renames={"image_encoder.": "image.", "audio_encoder.": "sound.trunk."},
        unused=(
            *("image_encoder.conv1_a.", "image_encoder.conv1_flow.", "image_encoder.fc."),
            *("audio_encoder.spectrogram.", "loss_fn."),
        ),
        protocol="rcgrad",
        trained_on="VGGSound",
        downloads="rc_grad.pt of the release v0.1.0-alpha: "
        "https://github.com/hohsiangwu/rethinking-visual-sound-localization",
        verified=False,
        note="Its Grad-CAM is the product of cells and sound: what it differentiates is their mean "
        "over the cells. Checked against automatic differentiation, not against its own code.",
    )
)
_SPEECH = "sound.trunk.speech."
_AZURE = "https://marhamilresearch4.blob.core.windows.net/denseav-public/hub/"
_DENSEAV = _add(
    Method(
        name="denseav",
        title="DenseAV, Separating the Chirp from the Chat (Hamilton et al., CVPR 2024), one head",
        repository="mhamilton723/DenseAV",
        licence="MIT",
        config=DualConfig(
            *("crop-bilinear", "denseav", "denseav:picture", "denseav:sound"),
            stride=8,
            pooled="steps",
            head="dense",
            head_options={"heads": 1},
        ),
        renames={
            "image_model.model.": "image.trunk.network.",
            "image_aligner.norm.norm.": "image.norm.",
            "image_aligner.layer.": "image.layer.",
            "audio_model.model.feature_extractor.": f"{_SPEECH}feature_extractor.",
            "audio_model.model.feature_projection.": f"{_SPEECH}encoder.feature_projection.",
            "audio_model.model.encoder.": f"{_SPEECH}encoder.transformer.",
            "audio_aligner.mod_list.1.norm.": "sound.trunk.norm.",
            "audio_aligner.mod_list.2.layer.": "sound.trunk.pools.0.",
            "audio_aligner.mod_list.2.cls_layer.": "sound.trunk.token_layer.",
            "audio_aligner.mod_list.3.layer.": "sound.trunk.pools.1.",
            "audio_aligner.mod_list.4.block.": "sound.trunk.block.",
            "audio_cls": "sound.trunk.token",
        },
        unused=("image_aligner.cls_layer.", "audio_model.model.masked_spec_embed", "sim_cal."),
        marks=("image_aligner.", "audio_aligner."),
        settings={
            "sim_agg_heads": 1,
            "sim_use_cls": False,
            "norm_vectors": False,
            "nonneg_sim": False,
            "head_agg": "max_elementwise",
            "image_model_token_type": "token",
        },
        adapt=denseav.adapt,
        protocol="denseav",
        trained_on="AudioSet (sound), PlacesAudio (language)",
        downloads=f"denseav_sound.ckpt and denseav_language.ckpt under {_AZURE} or "
        "hf.co/mhamilton723/DenseAV-sound and -language",
        verified=False,
        note="Low-rank updates are added to the weights that they belong to. Its parts were "
        "checked against transformers' HuBERT and by hand, not against its own code. Where its "
        "own pads a short sound and leaves out the padding, this repeats the sound.",
    )
)
_add(
    replace(
        _DENSEAV,
        name="denseav-2head",
        title=_DENSEAV.title.replace("one head", "two heads"),
        config=replace(_DENSEAV.config, head_options={"heads": 2}),
        settings={**_DENSEAV.settings, "sim_agg_heads": 2},
        trained_on="AudioSet and PlacesAudio",
        downloads=f"denseav_2head.ckpt under {_AZURE} or hf.co/mhamilton723/DenseAV-sound-language",
    )
)
