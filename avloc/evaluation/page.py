"""A report as one HTML file that needs no other: tables, curves, and pictures of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from avloc.evaluation.figures import against_size, success_curves
from avloc.evaluation.gallery import Card
from avloc.evaluation.report import Report, Verdict

LISTED = 30  # names that a line of the page holds

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 1000px;
  margin: 2rem auto 5rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; } .dim { color: #666; } code { font-size: .85em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; text-align: right; white-space: nowrap; }
th { font-weight: 600; border-bottom: 2px solid #333; } td.l, th.l { text-align: left; }
tr.first td { border-top: 1px solid #ddd; } td.score { font-weight: 700; }
.scroll { max-height: 26rem; overflow: auto; border: 1px solid #ddd; } .wide { overflow-x: auto; }
.scroll th { position: sticky; top: 0; background: #fff; }
.bar { display: inline-block; height: .7em; background: #1f5fbf; }
.gallery { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1rem; }
figure { margin: 0; } figure img { width: 100%; display: block; }
figcaption { font-size: .82rem; overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; }
.key { display: inline-block; width: 1.6em; border-top: 3px solid; margin: 0 .3em .25em; }
"""


def page(
    report: Report, titles: Mapping[str, str], gallery: Mapping[str, Sequence[Card]], shown: str
) -> str:
    """The page.

    Args:
        report: what it is about.
        titles: how metrics are called.
        gallery: pictures by kind ("best", "median", "worst").
        shown: the protocol of the pictures, the classes and the sizes.
    """
    title = f"{report.method or 'References'} on {report.benchmark}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _about(report),
        "<h2>Scores</h2>",
        "<p>Per cent. Brackets: the best half picture is no limit under this rule.</p>",
        f'<div class="wide">{_scores(report, titles)}</div>',
        "<h2>Success curves</h2>",
        "<p>Share of items whose cIoU is at least the number below.</p>",
        success_curves(report.protocols),
    ]
    verdict = report.protocols.get(shown)
    if verdict is not None and verdict.items and "ciou" in next(iter(verdict.items.values())):
        parts += _of_items(report, verdict, shown)
    if any(gallery.values()):
        parts += [f"<h2>Items ({escape(shown)})</h2>", _KEY]
        for kind, pictures in gallery.items():
            parts += [f"<h3>{escape(kind)}</h3>", _gallery(pictures)]
    parts += ["<h2>Protocols</h2>", _protocols(report)]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n"
        "</body></html>\n"
    )


_KEY = (
    '<p><span class="key" style="color:#bbb"></span>truth '
    '<span class="key" style="color:#ff40a0"></span>prediction. The heatmap goes from blue, its '
    "least value, to red, its greatest.</p>"
)


def _about(report: Report) -> str:
    scored = report.listed - len(report.missing) - len(report.faults)
    told = [f"{scored} of {report.listed} items scored."]
    if report.missing:
        told.append(f"No map: {_names(report.missing)}.")
    if report.faults:
        told.append(f"Malformed: {_names(tuple(report.faults))}.")
    if report.unknown:
        told.append(f"Maps of no item: {_names(report.unknown)}.")
    if report.problems:
        told.append(f"The list: {_names(report.problems)}.")
    seen = report.contamination
    if seen is not None:
        told.append(f"Seen in training: {len(seen['seen'])} of {seen['tested']} clips.")
    versions = report.provenance.get("versions", {})
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    commit = report.provenance.get("git_commit") or "unknown commit"
    sums = report.provenance.get("sha256", {})
    files = "".join(
        f"<br>{escape(name)} <code>sha256 {escape(digest)}</code>"
        for kind in ("list", "weights")
        for name, digest in sums.get(kind, {}).items()
    )
    return (
        f"<p>{escape(' '.join(told))}</p>"
        f'<p class="dim">{escape(made)}; commit <code>{escape(commit)}</code>{files}</p>'
    )


def _names(names: Sequence[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _scores(report: Report, titles: Mapping[str, str]) -> str:
    scored = any(verdict.metrics for verdict in report.protocols.values())
    heads = ["score", "95 %"] * scored + ["centre", "whole", "best half", "random", "ties"]
    lines = ['<table><tr><th class="l">protocol</th><th class="l">metric</th>']
    lines += [f"<th>{head}</th>" for head in heads] + ["</tr>"]
    for name, verdict in report.protocols.items():
        mixed = [f"ogl_{metric}" for metric in verdict.headline]
        metrics = [*verdict.headline, *(m for m in mixed if m in verdict.metrics)]
        for number, metric in enumerate(metrics):
            base = metric.removeprefix("ogl_")
            title = titles.get(base, base) + (" OGL" if base != metric else "")
            first = ' class="first"' if not number else ""
            label = escape(name) if not number else ""
            lines.append(f'<tr{first}><td class="l">{label}</td><td class="l">{escape(title)}</td>')
            if scored:
                lines.append(f'<td class="score">{_share(verdict.metrics.get(metric))}</td>')
                lines.append(f"<td>{_interval(verdict, metric)}</td>")
            for reference in ("centre", "whole", "half_oracle", "random"):
                value = _share(verdict.baselines[reference].get(base))
                if reference == "half_oracle" and not verdict.limits(metric):
                    value = f"({value})"
                lines.append(f"<td>{value}</td>")
            ties = "" if number or verdict.tied is None else _share(verdict.tied)
            lines.append(f"<td>{ties}</td></tr>")
    return "".join([*lines, "</table>"])


def _share(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.1f}"


def _interval(verdict: Verdict, metric: str) -> str:
    found = verdict.intervals.get(metric)
    return "–" if found is None else f"{_share(found.low)} to {_share(found.high)}"


def _of_items(report: Report, verdict: Verdict, shown: str) -> list[str]:
    names = [name for name in verdict.items if report.groups[name]["sounds"]]
    ciou = np.array([verdict.items[name]["ciou"] for name in names], float)
    areas = np.array([report.groups[name]["area"] for name in names])
    labels = [str(report.groups[name]["class"]) for name in names]
    parts = [
        f"<h2>Score against size ({escape(shown)})</h2>",
        against_size(areas, ciou, verdict.limited),
    ]
    if any(labels):
        parts += [f"<h2>Classes ({escape(shown)})</h2>", _classes(labels, ciou)]
    return parts


def _classes(labels: Sequence[str], ciou: np.ndarray) -> str:
    kinds: dict[str, list[float]] = {}
    for label, value in zip(labels, np.nan_to_num(ciou), strict=True):
        kinds.setdefault(label or "(none)", []).append(float(value))
    lines = [
        '<div class="scroll"><table><tr><th class="l">class</th><th>items</th><th>cIoU, %</th>'
        '<th>mean</th><th class="l"></th></tr>'
    ]
    for label, values in sorted(kinds.items(), key=lambda kind: (-np.mean(kind[1]), kind[0])):
        share, mean = np.mean(np.array(values) >= 0.5), np.mean(values)
        lines.append(
            f'<tr><td class="l">{escape(label)}</td><td>{len(values)}</td>'
            f"<td>{100 * share:.1f}</td><td>{mean:.3f}</td>"
            f'<td class="l"><span class="bar" style="width:{160 * mean:.0f}px"></span></td></tr>'
        )
    return "".join([*lines, "</table></div>"])


def _gallery(pictures: Sequence[Card]) -> str:
    figures = [
        f'<figure><img alt="{escape(card.id)}" src="{card.url}"><figcaption>{escape(card.id)}'
        f"{escape(card.label and f' ({card.label})')}: {card.score:.3f}</figcaption></figure>"
        for card in pictures
    ]
    return f'<div class="gallery">{"".join(figures)}</div>'


def _protocols(report: Report) -> str:
    lines = ['<div class="wide"><table><tr><th class="l">name</th><th class="l">repeats</th>']
    lines.append('<th class="l">enlarged by</th><th class="l">to know</th></tr>')
    for name, verdict in report.protocols.items():
        told = [str(verdict.description.get(key) or "") for key in ("source", "kernel", "note")]
        cells = "".join(f'<td class="l">{escape(text)}</td>' for text in (name, *told))
        lines.append(f"<tr>{cells}</tr>")
    return "".join([*lines, "</table></div>"])
