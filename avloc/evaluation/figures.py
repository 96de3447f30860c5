"""Figures of a report as SVG: how many items succeed, and how scores go with the size of things."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from avloc.errors import EnvironmentProblem
from avloc.evaluation.metrics import STEPS
from avloc.evaluation.report import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = {
    "half_oracle": ("best half picture", "#9a9a9a", "--"),
    "centre": ("centre disc", "#d98c21", "-"),
    "whole": ("whole picture", "#9a9a9a", ":"),
    "random": ("random", "#c9c9c9", "-"),
    "score": ("this method", "#1f5fbf", "-"),
}
COLUMNS = 3
BINS = 10


def success_curves(verdicts: Mapping[str, Verdict]) -> str:
    """A small figure for each protocol: share of items against the cIoU they reach."""
    shown = {name: verdict for name, verdict in verdicts.items() if verdict.curves}
    if not shown:
        return ""
    rows = -(-len(shown) // COLUMNS)
    figure = _figure(9.6, 2.5 * rows + 0.4)
    axes = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axis, (name, verdict) in zip(axes.flat, shown.items(), strict=False):
        for line, (label, colour, style) in LINES.items():
            if line in verdict.curves:
                width = 2.2 if line == "score" else 1.2
                curve = [100 * share for share in verdict.curves[line]]
                axis.plot(STEPS, curve, style, color=colour, linewidth=width, label=label)
        axis.set_title(name, fontsize=10, loc="left")
        _plain(axis)
    for axis in axes.flat[len(shown) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("items, %", fontsize=9)
    for axis in axes.flat[max(0, len(shown) - COLUMNS) : len(shown)]:
        axis.set_xlabel("cIoU of at least", fontsize=9)
        axis.tick_params(labelbottom=True)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="upper left", ncols=5, fontsize=9, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.32 / figure.get_figheight()))
    return _svg(figure)


def against_size(areas: np.ndarray, ciou: np.ndarray, limited: bool) -> str:
    """cIoU (n,) against the truth's share of the picture (n,), with means of equal parts.

    Args:
        areas: 0..1.
        ciou: of the same items.
        limited: draw what the best half picture scores.
    """
    figure = _figure(9.6, 3.6)
    axis = figure.subplots()
    axis.scatter(100 * areas, ciou, s=9, alpha=0.35, color="#1f5fbf", linewidths=0, label="items")
    if limited:
        x = np.linspace(0.002, 1, 300)
        axis.plot(100 * x, np.minimum(2 * x, 0.5 / x), "--", color="#9a9a9a", label="best half")
    order = np.argsort(areas)
    parts = [
        part for part in np.array_split(order, min(BINS, max(1, len(order) // 8))) if len(part)
    ]
    middle = [100 * float(areas[part].mean()) for part in parts]
    mean = [float(np.nan_to_num(ciou[part]).mean()) for part in parts]
    axis.plot(middle, mean, "o-", color="#123", markersize=4, linewidth=1.5, label="mean")
    axis.axhline(0.5, color="#bbb", linewidth=0.8)
    axis.set_xlabel("truth's share of the picture, %", fontsize=9)
    axis.set_ylabel("cIoU", fontsize=9)
    axis.set_ylim(-0.03, 1.03)
    axis.legend(fontsize=9, frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(0, 1.13))
    _plain(axis)
    figure.tight_layout()
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

    return Figure(figsize=(width, height))


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
