import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avloc.media.colormap import COLORMAPS
from avloc.media.legend import legend
from avloc.media.text import fitted, font, label, margin, tags_line, text_size, written
from avloc.types import Tag


def test_tags_are_named_with_their_probability() -> None:
    tags = (Tag("Dog", 0.874), Tag("Bark", 0.6), Tag("Wind", 0.02))
    assert tags_line(tags) == "Dog 0.87 · Bark 0.60"
    assert tags_line(()) == ""
    assert tags_line([Tag("Baby cry, infant cry", 0.5), Tag(",", 0.4)]) == "Baby cry 0.50 · , 0.40"


def test_what_has_no_room_is_left_out_entry_by_entry() -> None:
    line = "Dog 0.87 · Bark 0.60 · Wind 0.30"
    width = font(12).getlength(line)
    assert fitted(line, width, 12) == line
    assert fitted(line, width - 1, 12) == "Dog 0.87 · Bark 0.60"
    assert fitted(line, font(12).getlength("Dog 0.87"), 12) == "Dog 0.87"
    assert fitted(line, font(12).getlength("Dog 0...."), 12) == "Dog 0...."


@settings(max_examples=40)
@example("CCCO", 30, 48)
@given(st.text(max_size=60), st.integers(1, 400), st.integers(1, 400))
def test_a_label_of_any_text_stays_inside_the_picture(text: str, height: int, width: int) -> None:
    drawn = label(tags_line([Tag(text, 0.5)]), height, width)
    if drawn is not None:
        assert drawn.shape[0] + 2 * margin(height, width) <= height
        assert drawn.shape[1] + 2 * margin(height, width) <= width


@pytest.mark.parametrize("text", ["Hund 0.87", "犬 0.87", "собака 0.87", "🐕 0.87", "a\nb\x00 0.5"])
def test_any_script_is_drawn_as_light_on_dark(text: str) -> None:
    drawn = label(tags_line([Tag(text, 0.5)]), 360, 640)
    assert drawn is not None
    assert drawn[..., :3].max() > 200
    assert drawn[drawn.shape[0] // 2, 3, 3] > 100
    assert drawn[0, 0, 3] == 0


def test_text_grows_with_the_picture_and_needs_room() -> None:
    assert text_size(1080, 1920) > text_size(720, 1280) > text_size(360, 640)
    assert label("Dog 0.87", 16, 16) is None
    assert written("Dog", 30).shape[0] > written("Dog", 12).shape[0]


def test_the_legend_shows_the_colours_in_order_or_nothing() -> None:
    colours = COLORMAPS["turbo"]
    drawn = legend(colours, 720, 1280)
    assert drawn is not None
    row = drawn[drawn.shape[0] // 2, :, :3].astype(int)
    blue = np.flatnonzero(row[:, 2] - row[:, 0] > 100)
    red = np.flatnonzero(row[:, 0] - row[:, 2] > 150)
    assert blue.max() < red.min()
    assert legend(colours, 32, 32) is None
