"""Public benchmarks, one reader each, and any folder with a small JSON."""

from avloc.data.benchmarks.registry import BENCHMARKS, read_benchmark
from avloc.data.benchmarks.types import Benchmark, Item, Problem

__all__ = ["BENCHMARKS", "Benchmark", "Item", "Problem", "read_benchmark"]
