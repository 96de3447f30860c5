"""Training objectives, one a file. A new one is a file here: all of them are entered on import."""

from importlib import import_module
from pkgutil import iter_modules

from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)

__all__ = ["OBJECTIVES", "Correspondence", "Loss", "Objective"]
