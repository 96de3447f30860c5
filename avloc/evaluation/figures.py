"""Figures of a report as SVG: how many items succeed, and how scores go with the size of things."""

from __future__ import annotations

import io
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from avloc.errors import EnvironmentProblem
from avloc.evaluation.metrics import STEPS
from avloc.evaluation.report import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = {
    "half_oracle": ("best half picture", "#8a8a8a", "--"),
    "centre": ("centre disc", "#d98c21", "-"),
    "whole": ("whole picture", "#8a8a8a", ":"),
    "random": ("random", "#c9c9c9", "-"),
    "score": ("this method", "#1f5fbf", "-"),
}
BORDERS = {"-": "solid", "--": "dashed", ":": "dotted"}  # what CSS calls such lines
_FREE = " <i>no ceiling</i>"
BINS = 10
MANY = 500  # points from which on they are drawn as one picture


def success_curves(verdicts: Mapping[str, Verdict]) -> str:
    """A small figure for each protocol: share of items against the cIoU they reach."""
    shown = {name: verdict for name, verdict in verdicts.items() if verdict.curves}
    if not shown:
        return ""
    drawn = [
        f"<figure><figcaption>{escape(name)}{'' if verdict.limited else _FREE}</figcaption>"
        f"{_curves(verdict.curves)}</figure>"
        for name, verdict in shown.items()
    ]
    lines = {line for verdict in shown.values() for line in verdict.curves}
    key = [
        f'<span><i class="key" style="border-top:3px {BORDERS[style]} {colour}"></i>{label}</span>'
        for line, (label, colour, style) in reversed(LINES.items())
        if line in lines
    ]
    return f'<p class="keys">{" ".join(key)}</p><div class="curves">{"".join(drawn)}</div>'


def _curves(curves: Mapping[str, tuple[float, ...]]) -> str:
    figure = _figure(2.4, 1.9)
    axis = figure.subplots()
    for line, (_, colour, style) in LINES.items():
        if line in curves:
            width = 2.0 if line == "score" else 1.1
            axis.plot(STEPS, 100 * np.array(curves[line]), style, color=colour, linewidth=width)
    axis.axvline(0.5, color="#bbb", linewidth=0.8, zorder=0)
    axis.set_ylim(-3, 103)
    axis.set_xlabel("cIoU", fontsize=8)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"])
    axis.set_ylabel("items, %", fontsize=8)
    _plain(axis)
    figure.tight_layout(pad=0.4)
    return _svg(figure)


def against_size(areas: np.ndarray, ciou: np.ndarray, centre: np.ndarray, limited: bool) -> str:
    """cIoU (n,) against the truth's share of the picture (n,), with means of equal parts.

    Args:
        areas: 0..1.
        ciou: of the same items.
        centre: that of the centre disc on them.
        limited: draw what the best half picture scores.
    """
    figure = _figure(7.6, 3.4)
    axis = figure.subplots()
    many = len(areas) > MANY
    axis.scatter(
        100 * areas,
        ciou,
        s=5 if many else 18,
        alpha=0.25 if many else 0.55,
        color=LINES["score"][1],
        linewidths=0,
        label="items",
        rasterized=many,
    )
    if limited:
        label, colour, style = LINES["half_oracle"]
        x = np.linspace(0.002, 1, 300)
        axis.plot(100 * x, np.minimum(2 * x, 0.5 / x), style, color=colour, label=label)
    order = np.argsort(areas)
    parts = [
        part for part in np.array_split(order, min(BINS, max(1, len(order) // 8))) if len(part)
    ]
    middle = [100 * float(areas[part].mean()) for part in parts]
    for values, colour, label in (
        (centre, LINES["centre"][1], "mean of the centre disc"),
        (ciou, "#0b2a5c", "mean"),
    ):
        mean = [float(np.nan_to_num(values[part]).mean()) for part in parts]
        axis.plot(middle, mean, "o-", color=colour, markersize=4, linewidth=1.5, label=label)
    axis.axhline(0.5, color="#bbb", linewidth=0.8, zorder=0)
    axis.set_xlabel("truth's share of the picture, %", fontsize=9)
    axis.set_ylabel("cIoU", fontsize=9)
    axis.set_xlim(-2, 102)
    axis.set_ylim(-0.03, 1.03)
    axis.legend(fontsize=9, frameon=False, ncols=4, loc="upper left", bbox_to_anchor=(-0.01, 1.13))
    _plain(axis)
    figure.tight_layout(pad=0.4)
    return _svg(figure)


def check_plots() -> None:
    """Tell in one line that the extra is missing, before anything long is begun.

    Raises:
        EnvironmentProblem: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise EnvironmentProblem(
            "--html draws with matplotlib, which is not installed; pip install 'avloc[plots]'"
        ) from None


def _figure(width: float, height: float) -> Figure:
    check_plots()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=150)


def _plain(axis: Axes) -> None:
    axis.grid(color="#eee")
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _svg(figure: Any) -> str:
    """The figure as an element of a page; the same each time."""
    import matplotlib

    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "avloc", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
