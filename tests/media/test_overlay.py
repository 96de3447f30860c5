from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.errors import UsageError
from avloc.media.colormap import COLORMAPS
from avloc.media.heat import colour_rows
from avloc.media.overlay import FORMATS, Painter, paint_rgb
from avloc.media.pixels import yuv
from avloc.media.style import Style
from avloc.types import Heatmap, Tag

PLAIN = Style(contour=False, tags=False)
EVERYTHING = Style(
    contour=True, box=True, peak=True, side_by_side=True, strip=True, legend=True, tags=True
)


def blob(y: float = 0.5, x: float = 0.5, confidence: float = 1.0) -> Heatmap:
    rows, columns = (np.mgrid[:14, :14] + 0.5) / 14
    values = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 0.15**2)).astype(np.float32)
    return Heatmap(values, 0.0, confidence, (Tag("Dog", 0.87), Tag("Bark", 0.6)))


def noise(width: int, height: int, name: str = "yuv420p") -> av.VideoFrame:
    frame = av.VideoFrame(width, height, name)
    random = np.random.default_rng(width * height)
    pixels = yuv(name, "bt601", False)
    for view in pixels.views(frame):
        view[...] = random.integers(20, 220, view.shape) << (pixels.depth - 8)
    frame.pts, frame.time_base = 77, Fraction(1, 90000)
    return frame


def planes(frame: av.VideoFrame) -> list[np.ndarray]:
    views = yuv(frame.format.name, "bt601", False).views(frame)
    return [view.astype(int) for view in views]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("alpha", "confidence"), [(0.0, 1.0), (0.5, 0.0)])
def test_nothing_to_show_leaves_every_sample(name: str, alpha: float, confidence: float) -> None:
    frame = noise(90, 62, name)
    before = planes(frame)
    painter = Painter.like(frame, Style(alpha=alpha, contour=alpha > 0, tags=False))
    layer = painter.layer(blob(confidence=confidence))
    out = painter.draw(frame, layer, layer, 0.5, 0.0)
    assert out is frame
    for ours, theirs in zip(planes(out), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(("matrix", "swscale"), [("bt601", "ITU601"), ("bt709", "ITU709")])
@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_an_opaque_peak_has_the_colour_of_the_map(
    name: str, matrix: str, swscale: str, full_range: bool
) -> None:
    frame = noise(128, 96, name)
    painter = Painter(
        128, 96, name, Style(alpha=1.0, contour=False, tags=False), matrix, full_range
    )
    rgb = painter.draw(frame, painter.layer(blob()), None, 0.0, 0.0).reformat(
        format="rgb24",
        src_colorspace=swscale,
        src_color_range="JPEG" if full_range else "MPEG",
        dst_color_range="JPEG",
    )
    peak = rgb.to_ndarray()[46:50, 62:66].reshape(-1, 3).mean(axis=0)
    error = np.abs(COLORMAPS["turbo"].astype(float) - peak).sum(axis=1)
    assert abs(error.argmin() - int(colour_rows(np.ones(1))[0])) <= 4
    assert error.min() < 9


@pytest.mark.parametrize("style", [PLAIN, Style(tags=False, box=True, peak=True)])
def test_shares_of_nothing_and_all_are_the_single_layers(style: Style) -> None:
    def drawn(*how: object) -> list[np.ndarray]:
        return planes(painter.draw(noise(160, 120), *how, 0.0))  # type: ignore[arg-type]

    painter = Painter.like(noise(160, 120), style)
    one, two = painter.layer(blob(0.3, 0.3)), painter.layer(blob(0.7, 0.6, 0.4))
    for plane, single in zip(drawn(one, two, 0.0), drawn(one, None, 0.0), strict=True):
        np.testing.assert_array_equal(plane, single)
    for plane, single in zip(drawn(one, two, 1.0), drawn(two, None, 0.0), strict=True):
        np.testing.assert_array_equal(plane, single)
    for plane, single in zip(drawn(one, one, 0.5), drawn(one, None, 0.0), strict=True):
        np.testing.assert_array_equal(plane, single)
    if style is not PLAIN:  # Lines lie over both heats: not the mean of each over its own.
        return
    halves = zip(drawn(one, two, 0.5), drawn(one, None, 0.0), drawn(two, None, 0.0), strict=True)
    for plane, first, second in halves:
        np.testing.assert_allclose(plane, (first + second) / 2, atol=3)


LINES = {"contour": False, "tags": False, "alpha": 0.0}


def light(painter: Painter, *how: object) -> tuple[np.ndarray, np.ndarray]:
    """Where `painter` drew light lines on grey: rows and columns, the brightest samples."""
    frame = av.VideoFrame(320, 240, "yuv420p")
    for view in yuv("yuv420p", "bt601", False).views(frame):
        view[...] = 110
    return np.nonzero(planes(painter.draw(frame, *how))[0] > 150)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["contour", "box", "peak"])
def test_lines_move_from_one_heatmap_to_the_next(kind: str) -> None:
    painter = Painter(320, 240, "yuv420p", Style(**{**LINES, kind: True}))
    one, two = painter.layer(blob(x=0.45)), painter.layer(blob(x=0.55))
    steps = [light(painter, one, two, share, 0.0) for share in (0.0, 0.3, 0.6, 1.0)]
    middles = np.array([(columns.min() + columns.max() + 1) / 2 for _, columns in steps])
    np.testing.assert_allclose(middles, 320 * np.array([0.45, 0.48, 0.51, 0.55]), atol=4)
    # Lines that fade into each other would reach over both places.
    widths = np.array([np.ptp(columns) for _, columns in steps])
    assert np.ptp(widths) < 10


def test_what_is_hardly_visible_does_not_draw_lines_away() -> None:
    painter = Painter(320, 240, "yuv420p", Style(**{**LINES, "contour": True, "peak": True}))
    seen, gone = painter.layer(blob(x=0.3)), painter.layer(blob(x=0.7, confidence=0.0))
    for pair in ((seen, gone), (gone, seen)):
        _, columns = light(painter, *pair, 0.5, 0.0)
        assert columns.max() < 160
        assert len(columns) > 20
    assert not len(light(painter, gone, None, 0.0, 0.0)[0])


def test_lines_of_another_shot_are_drawn_at_once() -> None:
    painter = Painter(320, 240, "yuv420p", Style(**{**LINES, "contour": True}))
    one, two = painter.layer(blob(x=0.3)), painter.layer(blob(x=0.7))
    assert light(painter, one, None, 0.0, 0.0)[1].max() < 200
    assert light(painter, two, None, 0.0, 0.04)[1].min() > 120
    assert light(painter, one, two, 0.2, 0.08)[1].max() < 200
    assert light(painter, one, two, 0.9, 0.12)[1].min() > 120


def test_lines_change_over_to_another_heatmap_at_once() -> None:
    painter = Painter(320, 240, "yuv420p", Style(**{**LINES, "contour": True}))
    one, left, right = (painter.layer(blob(x=x)) for x in (0.5, 0.35, 0.65))
    assert light(painter, one, left, 0.8, 0.0)[1].max() < 190
    assert light(painter, one, right, 0.8, 0.0)[1].min() > 130


def test_only_the_neighbourhood_of_the_sound_changes() -> None:
    painter = Painter.like(noise(160, 120), PLAIN)
    luma = planes(painter.draw(noise(160, 120), painter.layer(blob(0.25, 0.25)), None, 0, 0))[0]
    changed = luma != planes(noise(160, 120))[0]
    assert changed[20:40, 30:50].mean() > 0.9
    assert not changed[80:].any()
    assert not changed[:, 110:].any()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(FORMATS), st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 2, 7, 14])
)
def test_every_size_is_drawn_with_everything(name: str, width: int, height: int, grid: int) -> None:
    frame = noise(width, height, name)
    before = planes(frame)
    painter = Painter.like(frame, EVERYTHING, duration=3.0)
    random = np.random.default_rng(grid)
    layers = [
        painter.layer(Heatmap(random.random((grid, grid), np.float32), 0.0, 0.9, blob().tags))
        for _ in range(2)
    ]
    for now in (0.0, 0.4):
        out = painter.draw(noise(width, height, name), layers[0], layers[1], 0.3, now)
    assert (out.width, out.height) == painter.size
    assert (out.pts, out.time_base, out.format.name) == (77, Fraction(1, 90000), name)
    for ours, source in zip(planes(out), before, strict=True):
        np.testing.assert_array_equal(ours[: source.shape[0], : source.shape[1]], source)
    plain = Painter.like(frame, Style(), duration=3.0)
    assert plain.size == (width, height)
    plain.draw(frame, plain.layer(blob()), None, 0.0, 0.0)


def test_enlarged_pictures_are_even_and_keep_what_the_frame_says_of_itself() -> None:
    frame = noise(33, 45)
    frame.colorspace, frame.color_range = 1, 2
    painter = Painter.like(frame, Style(side_by_side=True, strip=True), 5.0)
    out = painter.draw(frame, painter.layer(blob()), None, 0.0, 0.0)
    assert out.width % 2 == out.height % 2 == 0
    assert out.width >= 66
    assert (int(out.colorspace), int(out.color_range)) == (1, 2)


def test_the_right_half_is_the_overlay() -> None:
    style = Style(side_by_side=True, tags=False)
    painter = Painter.like(noise(64, 48), style)
    out = planes(painter.draw(noise(64, 48), painter.layer(blob()), None, 0.0, 0.0))
    alone = Painter.like(noise(64, 48), Style(tags=False))
    single = planes(alone.draw(noise(64, 48), alone.layer(blob()), None, 0.0, 0.0))
    for plane, overlay in zip(out, single, strict=True):
        np.testing.assert_array_equal(plane[:, plane.shape[1] // 2 :], overlay)


def test_a_label_changes_at_a_readable_pace() -> None:
    def luma(name: str, probability: float, now: float) -> np.ndarray:
        heatmap = Heatmap(np.zeros((3, 3), np.float32), now, 0.0, (Tag(name, probability),))
        return planes(painter.draw(noise(640, 360), painter.layer(heatmap), None, 0, now))[0]

    painter = Painter.like(noise(640, 360), Style())
    first = luma("Dog", 0.8, 0.0)
    assert (first != planes(noise(640, 360))[0])[:60, :200].any()
    np.testing.assert_array_equal(luma("Dog", 0.7, 0.2), first)
    np.testing.assert_array_equal(luma("Cat", 0.7, 0.4), first)
    other = luma("Cat", 0.7, 0.6)
    assert (other != first).any()
    assert (luma("Cat", 0.2, 1.2) != other).any()


def test_drawing_does_not_disturb_the_decoder(tmp_path: Path) -> None:
    path = tmp_path / "moving.mp4"
    texture = np.kron(np.random.default_rng(0).integers(0, 256, (15, 20)), np.ones((8, 8)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 25, options={"bf": "0", "g": "100"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(20):  # What is painted at the top would be carried down.
            picture = np.roll(texture, 4 * index, axis=0).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.repeat(picture[..., None], 3, 2), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        untouched = [planes(frame)[0] for frame in container.decode(video=0)]
    painter = Painter(160, 120, "yuv420p", PLAIN)
    layer = painter.layer(blob(0.2, 0.2))
    with av.open(str(path)) as container:
        for frame, source in zip(container.decode(video=0), untouched, strict=True):
            luma = planes(painter.draw(frame, layer, None, 0.0, 0.0))[0]
            np.testing.assert_array_equal(luma[70:], source[70:])
            assert (luma[20:30, 25:40] != source[20:30, 25:40]).any()


def test_a_still_is_painted_like_a_frame() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (60, 81, 3)).astype(np.uint8)
    kept = photo.copy()
    ours = paint_rgb(photo, blob(), Style(tags=False))
    np.testing.assert_array_equal(photo, kept)
    frame = av.VideoFrame.from_ndarray(photo, "rgb24").reformat(
        format="yuv444p", dst_colorspace="ITU601", dst_color_range="JPEG"
    )
    painter = Painter(81, 60, "yuv444p", Style(tags=False), "bt601", full_range=True)
    theirs = painter.draw(frame, painter.layer(blob()), None, 0, 0).reformat(
        format="rgb24", src_colorspace="ITU601", src_color_range="JPEG", dst_color_range="JPEG"
    )
    np.testing.assert_allclose(ours.astype(int), theirs.to_ndarray().astype(int), atol=8)


def test_a_still_side_by_side_keeps_the_source_at_the_left() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype(np.uint8)
    wide = paint_rgb(photo, blob(), EVERYTHING)
    assert wide.shape == (37, 102, 3)
    np.testing.assert_array_equal(wide[:, :51], photo)


@pytest.mark.parametrize(
    "wrong", [{"colormap": "jet2"}, {"alpha": 1.5}, {"rule": "best"}, {"sources": 0}]
)
def test_styles_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(UsageError):
        Style(**wrong)
    with pytest.raises(UsageError, match="nv12"):
        Painter(16, 16, "nv12", Style())
