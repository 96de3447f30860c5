"""A report as one HTML file that needs no other: tables, curves, and pictures of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from avloc.evaluation.figures import against_size, success_curves
from avloc.evaluation.gallery import Card
from avloc.evaluation.report import Report, Verdict

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 1000px;
  margin: 2rem auto 5rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .3rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p, details { margin: .3rem 0 .8rem; max-width: 46rem; } code { font-size: .85em; }
details, .made { overflow-wrap: anywhere; } summary { cursor: pointer; } .made { color: #555; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; vertical-align: top; }
th { font-weight: 600; border-bottom: 2px solid #333; } td.l, th.l { text-align: left; }
tr > .l:first-child { position: sticky; left: 0; background: #fff; }
tr.first td { border-top: 1px solid #ddd; } td.score { font-weight: 700; }
td.text { white-space: normal; min-width: 12rem; overflow-wrap: anywhere; }
.scroll { max-height: 26.7rem; overflow: auto; border: 1px solid #ddd; } .wide { overflow-x: auto; }
.scroll th { position: sticky; top: 0; background: #fff; z-index: 1; }
.bar { display: inline-block; position: relative; width: 160px; height: .8em; background: #f0f0f0; }
.bar i { position: absolute; top: 0; height: 100%; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(max(160px, 22%), 1fr));
  gap: 1rem .8rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr));
  gap: 1rem .8rem; }
@media (min-width: 700px) { .gallery { grid-template-columns: repeat(3, 1fr); } }
figure { margin: 0; } figcaption { font-size: .82rem; overflow-wrap: anywhere; }
.curves figcaption { font-size: .9rem; font-weight: 600; }
.curves figcaption i { font-weight: 400; font-style: normal; color: #666; }
.gallery img { width: 100%; aspect-ratio: 4 / 3; object-fit: contain; background: #f0f0f0;
  display: block; }
svg { max-width: 100%; height: auto; display: block; } .size svg { min-width: 34rem; }
.keys span { margin-right: 1.2em; white-space: nowrap; }
.key { display: inline-block; width: 1.8em; margin-right: .4em; vertical-align: middle; }
.swatch { padding: .15em .5em; color: #fff; background: #333; border: 2px solid; }
.curves svg { width: 100%; }
@media (max-width: 600px) { table { font-size: 12px; } th, td { padding: .15rem .3rem; } }
@media print { .scroll { max-height: none; } details { display: none; } }
"""

BLUE, ORANGE, GREY = "#1f5fbf", "#d98c21", "#8a8a8a"


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
    parts = [f"<h1>{escape(title)}</h1>", _about(report)]
    parts += ["<h2>Scores</h2>", _HOW_TO_READ, f'<div class="wide">{_scores(report, titles)}</div>']
    if report.comparison is not None:
        parts += _comparison(report, titles)
    if curves := success_curves(report.protocols):
        parts += [
            "<h2>Success curves</h2>",
            "<p>How many items have a cIoU of at least so much. cIoU is the share at 0.5, AUC the "
            "area below.</p>",
            curves,
        ]
    verdict = report.protocols.get(shown)
    if verdict is not None and verdict.items and "ciou" in next(iter(verdict.items.values())):
        parts += _of_items(report, verdict, shown)
    if any(gallery.values()):
        parts += [f"<h2>Items ({escape(shown)})</h2>", _KEY]
        for kind, pictures in gallery.items():
            parts += [f"<h3>{escape(kind)}</h3>", _gallery(pictures)]
    parts += ["<h2>Protocols</h2>", _protocols(report), "<h2>Made with</h2>", _made(report)]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n"
        "</body></html>\n"
    )


_HOW_TO_READ = (
    "<p>Per cent. Beside every score stands what the same protocol gives, on the same items, to "
    "predictions that need no method: a disc in the <b>centre</b>, which neither sees nor hears, "
    "the <b>whole</b> picture, the <b>best half</b> picture there is, and <b>random</b> noise. "
    "Where a protocol takes half of the pixels for the prediction, the best half is the ceiling; "
    "(in brackets) it is no limit. <b>95 %</b>: what other such items might have given "
    "(bootstrap). <b>Ties</b>: maps with several pixels at the threshold, which protocols with "
    "&gt; and with &ge; cut differently; they may take more or less than half of the picture, and "
    "so escape the ceiling.</p>"
)

_KEY = (
    '<p><span class="swatch" style="border-color:#fff;outline:1px solid #333">truth</span> '
    '<span class="swatch" style="border-color:#ff40a0">prediction</span> '
    "The heatmap goes from blue, its least value, to red, its greatest. Numbers are cIoU.</p>"
)


def _about(report: Report) -> str:
    scored = report.listed - len(report.missing) - len(report.faults)
    told = [f"<p>{scored} of {report.listed} items scored.</p>"]
    faults = [f"{item}: {fault}" for item, fault in report.faults.items()]
    for names, what in (
        (report.missing, "without a map"),
        (faults, "with a malformed map"),
        (report.unknown, "maps that belong to no item"),
        (report.problems, "faults of the list itself"),
    ):
        if names:
            lines = "<br>".join(escape(name) for name in names)
            told.append(f"<details><summary>{len(names)} {what}</summary>{lines}</details>")
    seen = report.contamination
    if seen is not None:
        more = f"; {len(seen['videos'])} more are other pieces of videos in it"
        told.append(
            f"<p>{len(seen['seen'])} of {seen['tested']} clips were seen in training "
            f"({escape(str(seen.get('list', 'the list given')))}){more if seen['videos'] else ''}."
            "</p>"
        )
    return "".join(told)


def _made(report: Report) -> str:
    versions = report.provenance.get("versions", {})
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    commit = report.provenance.get("git_commit") or "unknown"
    sums = report.provenance.get("sha256", {})
    files = "".join(
        f"<br>{escape(name)}: SHA-256 <code>{escape(digest)}</code>"
        for kind in ("list", "weights")
        for name, digest in sums.get(kind, {}).items()
    )
    return f'<p class="made">{escape(made)}<br>commit <code>{escape(commit)}</code>{files}</p>'


def _scores(report: Report, titles: Mapping[str, str]) -> str:
    scored = any(verdict.metrics for verdict in report.protocols.values())
    heads = ["score", "95 %"] * scored + ["centre", "whole", "best half", "random"]
    heads += ["ties"] * scored
    lines = ['<table><tr><th class="l">protocol</th><th class="l">metric</th>']
    lines += [f"<th>{head}</th>" for head in heads] + ["</tr>"]
    for name, verdict in report.protocols.items():
        mixed = [f"ogl_{metric}" for metric in verdict.headline]
        metrics = [*verdict.headline, *(m for m in mixed if m in verdict.metrics)]
        for number, metric in enumerate(metrics):
            base = metric.removeprefix("ogl_")
            first = ' class="first"' if not number else ""
            label = escape(name) if not number else ""
            title = escape(_title(metric, titles))
            lines.append(f'<tr{first}><td class="l">{label}</td><td class="l">{title}</td>')
            if scored:
                lines.append(f'<td class="score">{_share(verdict.metrics.get(metric))}</td>')
                lines.append(f"<td>{_interval(verdict, metric)}</td>")
            for reference in ("centre", "whole", "half_oracle", "random"):
                value = _share(verdict.baselines[reference].get(base))
                if reference == "half_oracle" and not verdict.limits(metric):
                    value = f"({value})"
                lines.append(f"<td>{value}</td>")
            if scored:
                ties = "" if number or verdict.tied is None else _share(verdict.tied)
                lines.append(f"<td>{ties}</td>")
            lines.append("</tr>")
    return "".join([*lines, "</table>"])


def _title(metric: str, titles: Mapping[str, str]) -> str:
    base = metric.removeprefix("ogl_")
    words = base.replace("_", " ").replace("ciou", "cIoU")
    return titles.get(base, words) + (" OGL" if base != metric else "")


def _share(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.1f}"


def _interval(verdict: Verdict, metric: str) -> str:
    found = verdict.intervals.get(metric)
    return "–" if found is None else f"{_share(found.low)} to {_share(found.high)}"


def _comparison(report: Report, titles: Mapping[str, str]) -> list[str]:
    found = report.comparison or {}
    heads = ("points", "95 %", "better", "worse", "same", "p")
    lines = ['<table><tr><th class="l">protocol</th><th class="l">metric</th>']
    lines += [f"<th>{head}</th>" for head in heads] + ["</tr>"]
    for name, one in found["protocols"].items():
        rest = [str(one[key]) for key in ("better", "worse", "same")] + [f"{one['p']:.2g}"]
        for number, (metric, told) in enumerate(one["differences"].items()):
            low, high = told["interval"]
            cells = [f"{100 * told['difference']:+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}"]
            cells += rest if not number else [""] * len(rest)
            first, label = (' class="first"', escape(name)) if not number else ("", "")
            title = escape(_title(metric, titles))
            lines.append(f'<tr{first}><td class="l">{label}</td><td class="l">{title}</td>')
            lines += [f"<td>{cell}</td>" for cell in cells] + ["</tr>"]
    return [
        f"<h2>Minus {escape(str(found['report']))}</h2>",
        "<p>Differences on the items that both have, in points; on how many of these this method "
        "is better and worse; p of a sign test over them.</p>",
        f'<div class="wide">{"".join(lines)}</table></div>',
    ]


def _of_items(report: Report, verdict: Verdict, shown: str) -> list[str]:
    names = [name for name in verdict.items if report.groups[name]["sounds"]]
    ciou = np.array([verdict.items[name]["ciou"] for name in names], float)
    centre, best = (
        np.array([verdict.beside[kind][name] for name in names], float)
        for kind in ("centre", "half_oracle")
    )
    areas = np.array([report.groups[name]["area"] for name in names])
    labels = [str(report.groups[name]["class"]) for name in names]
    parts = [
        f"<h2>Score against size ({escape(shown)})</h2>",
        f'<div class="wide size">{against_size(areas, ciou, centre, verdict.limited)}</div>',
    ]
    if any(labels):
        table = _classes(labels, np.nan_to_num(np.stack([ciou, centre, best], axis=1)))
        parts += [f"<h2>Classes ({escape(shown)})</h2>", _OF_CLASSES, table]
    return parts


_OF_CLASSES = (
    "<p>Per cent of items with a cIoU of 0.5 or more. Bars: "
    f'<b style="color:{BLUE}">mean cIoU</b>; marks: that of the '
    f'<b style="color:{ORANGE}">centre disc</b> and the '
    f'<b style="color:{GREY}">best half picture</b>.</p>'
)


def _classes(labels: Sequence[str], ciou: np.ndarray) -> str:
    """A row for each class; `ciou` (n, 3) of the method, the centre disc, the best half."""
    kinds: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        kinds.setdefault(label or "(none)", []).append(number)
    lines = [
        '<div class="scroll"><table><tr><th class="l">class</th><th>items</th><th>cIoU</th>'
        '<th>centre</th><th>best half</th><th>mean</th><th class="l"></th></tr>'
    ]
    means = {label: ciou[numbers].mean(0) for label, numbers in kinds.items()}
    for label in sorted(means, key=lambda label: (-means[label][0], label)):
        shares = "".join(
            f"<td{score}>{100 * share:.1f}</td>"
            for share, score in zip(
                (ciou[kinds[label]] >= 0.5).mean(0), (' class="score"', "", ""), strict=True
            )
        )
        lines.append(
            f'<tr><td class="l">{escape(label)}</td><td>{len(kinds[label])}</td>{shares}'
            f'<td>{100 * means[label][0]:.1f}</td><td class="l">{_bar(*means[label])}</td></tr>'
        )
    return "".join([*lines, "</table></div>"])


def _bar(mean: float, centre: float, best: float) -> str:
    marks = "".join(
        f'<i style="left:{100 * at:.1f}%;width:3px;background:{colour}"></i>'
        for at, colour in ((centre, ORANGE), (best, GREY))
    )
    return (
        f'<span class="bar"><i style="width:{100 * mean:.1f}%;background:{BLUE}"></i>{marks}</span>'
    )


def _gallery(pictures: Sequence[Card]) -> str:
    figures = [
        f'<figure><img alt="{escape(card.id)}" src="{card.url}"><figcaption>{escape(card.id)}'
        f"{escape(card.label and f' ({card.label})')}: <b>{card.score:.2f}</b>"
        f"{escape(card.beside and f'; {card.beside}')}</figcaption></figure>"
        for card in pictures
    ]
    return f'<div class="gallery">{"".join(figures)}</div>'


def _protocols(report: Report) -> str:
    lines = ['<div class="wide"><table><tr><th class="l">name</th><th class="l">repeats</th>']
    lines.append('<th class="l">enlarged by</th><th class="l">to know</th></tr>')
    for name, verdict in report.protocols.items():
        told = [str(verdict.description.get(key) or "") for key in ("source", "kernel", "note")]
        kinds = ("l text", "l", "l text")
        cells = "".join(
            f'<td class="{kind}">{escape(text)}</td>'
            for text, kind in zip(told, kinds, strict=True)
        )
        lines.append(f'<tr class="first"><td class="l">{escape(name)}</td>{cells}</tr>')
    return "".join([*lines, "</table></div>"])
