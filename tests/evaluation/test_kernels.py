"""Enlarging is OpenCV's and torch's, to the last bit."""

import numpy as np
import pytest

from avloc.evaluation.kernels import KERNELS, enlarge, heighten, taps

SIZES = [(7, 7), (14, 14), (28, 28), (20, 20), (16, 16), (5, 9), (224, 224), (300, 250)]


def noise(size, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_torch(size, corners, mode):
    torch = pytest.importorskip("torch")
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        pytest.skip("torch rounds otherwise on this processor")
    values = noise(size)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None, None], (224, 224), mode=mode, align_corners=corners
    )[0, 0].numpy()
    kernel = f"torch-{mode}" + ("-corners" if corners else "")
    assert np.array_equal(enlarge(values, kernel, (224, 224)), expected)


@pytest.mark.parametrize("size", SIZES)
def test_opencv_linear(size):
    cv2 = pytest.importorskip("cv2")
    values = noise(size)
    expected = cv2.resize(values, (224, 224), interpolation=cv2.INTER_LINEAR)
    found = enlarge(values, "opencv-linear", (224, 224))
    if cv2.ipp.useIPP():
        assert np.array_equal(found, expected)
    else:
        assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_opencv_cubic(size):
    """Its last bits differ from one release of OpenCV to the next."""
    cv2 = pytest.importorskip("cv2")
    values = noise(size)
    expected = cv2.resize(values, (224, 224), interpolation=cv2.INTER_CUBIC)
    assert enlarge(values, "opencv-cubic", (224, 224)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_two_passes(kernel):
    values = noise((6, 11))
    found = enlarge(values, kernel, (40, 50))
    assert found.shape == (40, 50)
    assert found.dtype == np.float32
    other_way = heighten(heighten(values, kernel, 40).T.copy(), kernel, 50).T
    assert np.allclose(other_way, found, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_weights_sum_to_one(kernel):
    for n_in in (1, 7, 14):
        assert taps(n_in, 224, kernel).weight.sum(0) == pytest.approx(np.ones(224), abs=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_constants(kernel):
    flat = np.full((7, 7), np.float32(0.25))
    found = enlarge(flat, kernel, (224, 224))
    assert found == pytest.approx(0.25, abs=1e-6)
    if kernel != "torch-bicubic-corners":  # whose rounding is known to show, see the goldens
        assert np.ptp(found) <= 3e-8 or "cubic" in kernel
