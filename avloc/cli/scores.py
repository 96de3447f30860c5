"""A report as people read it in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from avloc.evaluation.comparing import Comparison
    from avloc.evaluation.report import Report, Verdict

REFERENCES = {
    "centre": "centre",
    "whole": "whole",
    "half_oracle": "best\nhalf",
    "random": "random",
}
TITLES = {
    "ciou": "cIoU",
    "auc": "AUC",
    "mean_ciou": "mean cIoU",
    "mean_iou": "mean IoU",
    "ciou_adap": "cIoU size",
    "auc_adap": "AUC size",
    "iiou": "IIoU",
    "ap": "AP",
    "max_f1": "max F1",
    "miou": "mIoU",
    "f_score": "F",
    "f_loc": "F_LOC",
    "f_auc": "F_AUC",
    "ciou_maxq3": "cIoU q3",
    "auc_maxq3": "AUC q3",
    "threshold": "threshold",
    "true_size_mean": "true size",
    "iou_mean": "IoU at .5",
    "pixel_ap": "pixel AP",
    "iiou_true_size": "IIoU size",
    "confidence_auroc": "AUROC",
    "ciou_03": "cIoU .3",
    "cap": "CAP",
    "piap": "PIAP",
    "map": "mAP",
}
NAMED = 10  # items that a line names before it counts the rest


def table(report: Report, everything: bool = False) -> Table:
    """A line for each metric, its references beside it; per cent."""
    from rich.table import Table

    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("protocol", no_wrap=True)
    found.add_column("metric", no_wrap=True)
    scored = any(verdict.metrics for verdict in report.protocols.values())
    if scored:
        found.add_column("score", justify="right", style="bold", no_wrap=True)
        found.add_column("95 %", justify="right", no_wrap=True)
    for title in REFERENCES.values():
        found.add_column(title, justify="right", no_wrap=True)
    for name, verdict in report.protocols.items():
        for number, metric in enumerate(_metrics(verdict, everything)):
            cells = [name if not number else "", _title(metric)]
            if scored:
                cells += [_share(verdict.metrics.get(metric)), _interval(verdict, metric)]
            for reference in REFERENCES:
                value = _share(verdict.baselines[reference].get(metric.removeprefix("ogl_")))
                free = reference == "half_oracle" and not verdict.limits(metric)
                cells.append(f"({value})" if free else value)
            found.add_row(*cells)
    return found


def _metrics(verdict: Verdict, everything: bool) -> list[str]:
    if everything:
        return list(verdict.metrics or verdict.baselines["centre"])
    mixed = [f"ogl_{name}" for name in verdict.headline if f"ogl_{name}" in verdict.metrics]
    return [*verdict.headline, *mixed]


def _title(metric: str) -> str:
    base = metric.removeprefix("ogl_")
    return TITLES.get(base, base) + (" OGL" if base != metric else "")


def _share(value: float | None) -> str:
    return "-" if value is None or not isfinite(value) else f"{100 * value:.1f}"


def _interval(verdict: Verdict, metric: str) -> str:
    found = verdict.intervals.get(metric)
    if found is None or not isfinite(found.low):
        return "-"
    return f"{100 * found.low:.1f}-{100 * found.high:.1f}"


def notes(report: Report) -> list[str]:
    """What has to be known beside the table, a line each."""
    told = []
    done = report.listed - len(report.missing) - len(report.faults)
    if report.method:
        told.append(f"{report.method} on {report.benchmark}: {done} of {report.listed} items")
    else:
        told.append(f"{report.benchmark}: {report.listed} items")
    if any(
        not verdict.limits(metric)
        for verdict in report.protocols.values()
        for metric in verdict.headline
    ):
        told.append("(in brackets): no limit under this rule")
    told += _ties(report)
    if report.missing:
        told.append(f"missing, not scored: {_names(report.missing)}")
    for item, fault in list(report.faults.items())[:NAMED]:
        told.append(f"not scored: {item}: {fault.removeprefix(f'{item}: ')}")
    if len(report.faults) > NAMED:
        told.append(f"and {len(report.faults) - NAMED} more that were not scored")
    if report.unknown:
        told.append(f"no item of the list, left out: {_names(report.unknown)}")
    for kind, items in report.without.items():
        told.append(f"scored without {kind}, which some items lack: {_names(items)}")
    if len(report.sizes) > 1:
        sizes = ", ".join(f"{count} of {size}" for size, count in report.sizes.items())
        told.append(f"maps of several sizes: {sizes}")
    told += _seen(report)
    if report.problems:
        more = f" (and {len(report.problems) - 1} more)" if len(report.problems) > 1 else ""
        told.append(f"the list itself: {report.problems[0]}{more}; all are in --json")
    return told


def _seen(report: Report) -> list[str]:
    found = report.contamination
    if found is None:
        return []
    told = [f"{len(found['seen'])} of {found['tested']} clips stand in {found['list']}"]
    if found["videos"]:
        told.append(f"and {len(found['videos'])} are other pieces of videos in it")
    if not found["seen"]:
        return told
    return [f"{', '.join(told)}: seen in training"]


def _ties(report: Report) -> list[str]:
    shares = {
        name: verdict.tied for name, verdict in report.protocols.items() if verdict.tied is not None
    }
    if not shares:
        return []
    least, most = min(shares.values()), max(shares.values())
    span = f"{100 * most:.1f} %" if least == most else f"{100 * least:.1f} to {100 * most:.1f} %"
    warning = " (> and >= give different masks)" if most > 0.01 else ""
    return [f"maps with ties at the threshold: {span}{warning}"]


def _names(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    return f"{len(names)}: {shown}" + (f" and {rest} more" if rest > 0 else "")


def comparison(found: Mapping[str, Comparison], other: str) -> Table:
    """The differences from another report, in points."""
    from rich.table import Table

    drawn = Table(
        "protocol",
        box=None,
        pad_edge=False,
        header_style="bold",
        title=f"minus {other}",
        title_justify="left",
    )
    for name in ("metric", "points", "95 %", "better", "worse", "same", "sign p"):
        drawn.add_column(name, justify="left" if name == "metric" else "right", no_wrap=True)
    for name, one in found.items():
        rest: list[Any] = [str(one.better), str(one.worse), str(one.same), f"{one.p:.2g}"]
        for metric, interval in one.differences.items():
            ends = f"{100 * interval.low:+.1f}..{100 * interval.high:+.1f}"
            ends = ends if isfinite(interval.low) else "-"
            title = TITLES.get(metric, metric)
            drawn.add_row(name, title, f"{100 * interval.mean:+.1f}", ends, *rest)
            name, rest = "", [""] * 4
    return drawn
