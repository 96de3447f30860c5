"""SSL-TIE: the map of a turned picture is the turned map.

Liu et al. 2022, Exploiting Transformation Invariance and Equivariance for Self-supervised Sound
Localisation (arXiv 2206.12772), sections 3.2 and 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn import functional

from avloc.objectives.correspondence import Correspondence
from avloc.objectives.lvs import LVS
from avloc.objectives.objective import OBJECTIVES, Loss, weighted
from avloc.objectives.turning import turned
from avloc.options import Amount, Some


@OBJECTIVES.register("ssltie")
class SSLTIE(LVS):
    """LVS's contrast of pictures and of turned ones, and equivariance of their maps.

    With h the map (b, h, w) of a picture and its own sound, T a transform of pictures:

        loss = (LVS(x) + LVS(T x)) / 2 + equivariance * mean of (h(T x) - T h(x))^2

    The view ``turned`` is of the turned pictures; the extra ``turns`` (b, 2, 3) says how, see
    `avloc.objectives.turning`. T h(x) is zero where nothing was, and so must h(T x) be there.
    """

    @dataclass(frozen=True)
    class Config(LVS.Config):
        """Options of `SSLTIE`, beside those of `LVS`.

        Attributes:
            equivariance: weight of that term.
            fixed: whether T h(x) is a target that gets no gradient.
            side: pixels of the square in which maps are turned.
        """

        equivariance: Amount = 1.0
        fixed: bool = False
        side: Some = 224

    config: Config
    needs = ("views.turned", "extras.turns")

    def compare(self, pairs: Correspondence) -> Loss:
        view = pairs.views["turned"]
        before, after = pairs.own(pairs.maps), view.own(view.maps)
        if self.config.fixed:
            before = before.detach()
        height, width = after.shape[1:]
        expected = turned(before[:, None], pairs.extras["turns"], (height, width), self.config.side)
        return weighted(
            contrast=(0.5, self.contrast(pairs)),
            turned=(0.5, self.contrast(view)),
            equivariance=(self.config.equivariance, functional.mse_loss(after, expected[:, 0])),
        )
