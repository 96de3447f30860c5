"""Correlation heads: how a sound meets a grid of visual embeddings, by name."""

from avloc.models.heads import additive, fusion, products, transformer
from avloc.models.heads.head import HEADS, Head

__all__ = ["HEADS", "Head", "additive", "fusion", "products", "transformer"]
