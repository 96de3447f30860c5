"""Which method a file is of, and what is said where it is none."""

import pytest
import torch

from avloc.errors import UsageError, WeightsError
from avloc.models.catalogue import find_weights as find
from avloc.models.published.converting import convert
from avloc.models.published.matching import match, shapes, unwrapped
from avloc.models.published.methods import METHODS
from avloc.models.published.reading import read_checkpoint
from avloc.models.trunks import CHANNELS

FAMILIES = {
    "ezvsl": ("ezvsl", {"fnac", "marginnce"}),
    "fnac": ("ezvsl", {"fnac", "marginnce"}),
    "slavc": ("slavc", {"slavc-momentum"}),
    "lvs": ("lvs", {"sslalign"}),
    "sslalign": ("sslalign", {"lvs"}),
    "ssltie": ("ssltie", set()),
    "heartheflow": ("heartheflow", set()),
    "sacl": ("sacl", set()),
    "sspl": ("sspl", set()),
}


@pytest.mark.parametrize("method", FAMILIES)
def test_names_and_shapes_tell_the_family(empty, method):
    found = match(empty(method), None)
    first, others = FAMILIES[method]
    assert found.fit.method.name == first
    assert set(found.others) == others
    assert found.fit.state.keys() == shapes(METHODS[first].config).keys()


@pytest.mark.parametrize("method", [*FAMILIES, "marginnce", "slavc-momentum"])
def test_a_name_decides(empty, method):
    found = match(empty(method), method)
    assert (found.fit.method.name, found.others) == (method, ())


def test_student_and_teacher_are_different_tensors(empty):
    tensors = empty("slavc")
    student, teacher = (match(tensors, name).fit.state for name in ("slavc", "slavc-momentum"))
    assert student["image.conv1.weight"] is tensors["module.imgnet.conv1.weight"]
    assert teacher["image.conv1.weight"] is tensors["module.momentum_imgnet.conv1.weight"]
    assert teacher["sound_projections.1.bias"] is tensors["module.momentum_aud_proj2.bias"]


def test_the_sound_network_of_lvs_begins_with_the_layer_for_sounds(empty):
    tensors = empty("lvs")
    found = match(tensors, "lvs")
    assert found.fit.state["sound.trunk.conv1.weight"] is tensors["module.audnet.conv1_a.weight"]
    assert found.fit.state["image.conv1.weight"] is tensors["module.imgnet.conv1.weight"]
    assert "audnet.conv1.weight" in found.fit.dropped
    assert len(found.fit.dropped) == 8


@pytest.mark.parametrize("wrapper", ["", "module.", "model.", "model.module.", "module.model."])
def test_wrappers(empty, wrapper):
    bare = unwrapped(empty("ssltie"))[0]
    assert (
        match({wrapper + key: one for key, one in bare.items()}, None).fit.method.name == "ssltie"
    )


def test_data_parallel_training_tells_lvs_from_sslalignment(empty):
    bare = unwrapped(empty("lvs"))[0]
    for wrapper, method in (("module.", "lvs"), ("", "sslalign")):
        tensors = {wrapper + key: one for key, one in bare.items()}
        assert match(tensors, None).fit.method.name == method


def refused(tensors, match_, name=None, unused=()):
    with pytest.raises(WeightsError, match=match_) as caught:
        match(tensors, name, unused)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [None, "ezvsl"])
def test_tensors_that_are_left_over(empty, name):
    tensors = empty("ezvsl") | {"module.extra.weight": torch.zeros(2), "module.more": torch.ones(1)}
    refused(tensors, "left over: extra.weight, more; --unused NAMES", name)
    assert match(tensors, name, ["extra.", "more"]).fit.method.name == "ezvsl"
    assert match(tensors, name, ["extra.", "more"]).fit.dropped == ("extra.weight", "more")


def test_heads_that_are_left_over_are_told_by_their_parts(empty):
    heads = {f"{part}.{k}.weight": torch.zeros(2) for part in ("fc_v", "fc_a") for k in range(3)}
    tensors = {key.removeprefix("module."): one for key, one in empty("sslalign").items()} | heads
    refused(tensors, r"left over: 'fc_v' \(3\), 'fc_a' \(3\); --unused", "sslalign")
    assert match(tensors, "sslalign", ["fc_v.", "fc_a."]).fit.perfect


@pytest.mark.parametrize("name", [None, "ezvsl"])
def test_tensors_that_are_missing(empty, name):
    tensors = empty("ezvsl")
    del tensors["module.aud_proj.bias"]
    refused(tensors, "ezvsl.* missing: aud_proj.bias$", name)
    # Naming a part that is needed unused does not make it so.
    refused(empty("ezvsl"), "missing: img_proj.weight, img_proj.bias", name, ["img_proj."])


@pytest.mark.parametrize("name", [None, "ezvsl"])
def test_tensors_of_another_shape(empty, name):
    tensors = empty("ezvsl") | {"module.aud_proj.bias": torch.zeros(CHANNELS + 1)}
    refused(tensors, "shape: aud_proj.bias is 513 of torch.float32, not 512", name)
    tensors = empty("ezvsl") | {"module.aud_proj.bias": torch.zeros(CHANNELS, dtype=torch.int64)}
    refused(tensors, "aud_proj.bias is 512 of torch.int64, not 512", name)
    tensors = empty("ezvsl") | {"module.aud_proj.bias": torch.zeros(())}
    refused(tensors, "aud_proj.bias is a single number", name)


def test_the_wrong_method(empty):
    refused(empty("lvs"), r"not a checkpoint of ezvsl \(.*'imgnet' \(12", "ezvsl")
    refused(empty("ezvsl"), r"missing: audnet.conv1_a.weight, norm3\.\*; left over: img", "ssltie")
    refused(empty("sacl"), r"missing: .* and \d+ more", "sspl")
    refused(empty("lvs"), r"missing: norm3\.\*", "ssltie")
    with pytest.raises(UsageError, match="did you mean 'ezvsl'"):
        match({}, "ezvls")


def test_files_of_nobody():
    refused(
        {"a.b": torch.zeros(1), "c": torch.zeros(1)}, r"found 2 tensors in 'a' \(1\), 'c' \(1\)"
    )
    refused({}, "found 0 tensors")
    refused({"\x1b[2J": torch.zeros(1)}, r"\\x1b\[2J")


def test_methods_that_cannot_be_run(tmp_path):
    """ACL-SSL saves its parts one by one; the two large networks are not among them."""
    parts = {"audio_proj": {"proj.weight": torch.zeros(2)}, "masker_i": {"w": torch.zeros(())}}
    torch.save(parts, tmp_path / "Param_best.pth")
    tensors = read_checkpoint(tmp_path / "Param_best.pth").tensors
    assert tensors.keys() == {"audio_proj.proj.weight", "masker_i.w"}
    refused(
        tensors, r"^ACL-SSL .*\(acl\) cannot be converted: .* CLIPSeg and BEATs, and no library"
    )
    with pytest.raises(WeightsError, match=r"Param_best\.pth: ACL-SSL"):
        convert([tmp_path / "Param_best.pth"])
    for use in (lambda: convert([tmp_path / "Param_best.pth"], method="acl"), lambda: find("acl")):
        with pytest.raises(UsageError, match="ACL-SSL"):
            use()


def test_every_method_names_only_what_its_network_has():
    for method in METHODS.values():
        wanted = shapes(method.config)
        for ours in method.renames.values():
            assert any(key.startswith(ours) for key in wanted), (method.name, ours)
