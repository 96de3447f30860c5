"""How far the confidence can be trusted: a reliability table on held-out pairs.

    python tools/reliability.py --data DIR [WEIGHTS]

Pairs are matched, mismatched or nearly silent. The confidence is fitted on them in training, so
the table is made by cross-validation: fitted on one half of the pairs, shown on the other, both
ways. Digital silence has confidence 0 by rule and is not in the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import brier_score_loss, roc_auc_score

from avloc.data.concepts import Concepts
from avloc.data.pairs import held_out_pairs
from avloc.models.confidence import confidence
from avloc.models.scales import QUALITIES
from avloc.models.weights import BUNDLED, load_weights
from avloc.training.wild.calibrate import calibrate, observe, reliability

CONCEPTS = Path(__file__).parent.parent / "recipes" / "wild" / "concepts.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quality", default="default", choices=QUALITIES)
    options = parser.parse_args()

    network, _ = load_weights(options.weights)
    pairs = held_out_pairs(options.data, Concepts.read(CONCEPTS))
    rows = observe(network, pairs)[options.quality]
    sure = np.zeros(len(pairs))
    half = np.arange(len(pairs)) % 2 == 0
    for fitted, shown in ((half, ~half), (~half, half)):
        chosen = [pair for pair, use in zip(pairs, fitted, strict=True) if use]
        fit = calibrate(rows[fitted], chosen)
        sure[shown] = [confidence(row, 1.0, fit) for row in rows[shown]]
    kinds = np.array([pair.kind for pair in pairs])
    matched = kinds == "matched"

    table = Table("mean confidence", "matched", "pairs", title="Reliability")
    for step in reliability(sure, matched):
        table.add_row(f"{step.confidence:.2f}", f"{step.matched:.2f}", str(step.count))
    console = Console()
    console.print(table)
    for kind in ("matched", "mismatched", "silent"):
        console.print(f"{kind}: mean confidence {sure[kinds == kind].mean():.2f}")
    console.print(f"Brier score {brier_score_loss(matched, sure):.3f}")
    console.print(f"ROC AUC matched against the rest {roc_auc_score(matched, sure):.3f}")


if __name__ == "__main__":
    main()
