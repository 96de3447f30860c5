"""One way only: every import of every file is read, and none may climb."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import avloc

PACKAGE = Path(avloc.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py"))

RANKS = {
    "media": 1,
    "features": 1,
    "models": 2,
    "objectives": 2,
    "data": 3,
    "evaluation": 4,
    "training": 5,
    "inference": 5,
    "cli": 6,
}
"""Modules beside them (types, errors, registry, ...) have rank 0. Neighbours of one rank do not
know each other; evaluation stands above data, because it scores what data reads."""

ONLY_IN = {
    "av": {"media"},
    "typer": {"cli"},
    "rich": {"cli"},
    "torchaudio": {"features"},
    "torchaudio.models": {"models"},
    "librosa": {"features"},
    "scipy.signal": {"features"},
}
WITHOUT_TORCH = {"", "media", "cli"}
"""Layers that answer before torch is there. The command line may import it inside a function."""

ENTRANCES = {"__init__.py", "__main__.py"}
"""Of the package itself: the public names, and `python -m avloc`."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that is imported, `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import; write the whole name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_of(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def layer_of(name: str) -> str:
    """The layer that an avloc import reaches, "" for the ground layer."""
    parts = name.split(".")
    if len(parts) > 1 and parts[1] in avloc._HOMES:
        parts = avloc._HOMES[parts[1]].split(".")
    return parts[1] if len(parts) > 1 and parts[1] in RANKS else ""


def at_start(tree: ast.Module) -> ast.Module:
    """The statements that run on import; what stands in functions and TYPE_CHECKING does not."""

    class Outer(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            return None

        def visit_If(self, node: ast.If) -> ast.AST | None:
            return None if "TYPE_CHECKING" in ast.unparse(node.test) else node

    return Outer().visit(ast.parse(ast.unparse(tree)))


def breaches(source: str, layer: str) -> list[str]:
    """What a file of `layer` must not do but does."""
    tree = ast.parse(source)
    found = []
    for name in imported(tree):
        if is_of(name, "avloc"):
            target = layer_of(name)
            if target != layer and RANKS.get(target, 0) >= RANKS.get(layer, 0) > 0:
                found.append(f"{layer} imports {name}")
            if layer == "" and target:
                found.append(f"the ground layer imports {name}")
        # Of two that fit the longer one counts: torchaudio's networks are models, not features.
        module = max((known for known in ONLY_IN if is_of(name, known)), key=len, default="")
        if module and layer not in ONLY_IN[module]:
            found.append(f"{name} outside {', '.join(ONLY_IN[module])}")
    if layer in WITHOUT_TORCH:
        tied = at_start(tree) if layer == "cli" else tree
        found += [f"{name} in {layer}" for name in imported(tied) if is_of(name, "torch")]
    if layer != "cli":
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        found += [f"{call}() outside cli" for call in calls & {"print", "sys.exit", "exit"}]
        names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        found += ["sys.argv outside cli"] if "sys.argv" in names else []
    return found


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(PACKAGE)) for p in FILES])
def test_no_import_climbs(path):
    inside = path.relative_to(PACKAGE)
    if str(inside) in ENTRANCES:
        pytest.skip("an entrance may reach every layer")
    layer = inside.parts[0] if len(inside.parts) > 1 else ""
    assert layer == "" or layer in RANKS, f"{layer} has no place in RANKS"
    assert breaches(path.read_text("utf-8"), layer) == []


@pytest.mark.parametrize(
    ("source", "layer"),
    [
        ("import avloc.models", "media"),
        ("from avloc.media import probe", "features"),
        ("from avloc import inference", "data"),
        ("from avloc import load_model", "evaluation"),
        ("def f():\n    from avloc.cli import app", "inference"),
        ("import avloc.media.probe", ""),
        ("import av", "inference"),
        ("from av.video import frame", "data"),
        ("from rich.table import Table", "training"),
        ("import torchaudio.functional as F", "models"),
        ("from scipy import signal", "evaluation"),
        ("import scipy.signal", "data"),
        ("import torch", "media"),
        ("def f():\n    import torch", "media"),
        ("import torch.nn", "cli"),
        ("print(1)", "media"),
        ("import sys\nsys.exit(1)", "training"),
        ("import sys\nx = sys.argv[1]", "training"),
    ],
)
def test_the_test_sees_a_breach(source, layer):
    assert breaches(source, layer)


@pytest.mark.parametrize(
    ("source", "layer"),
    [
        ("from avloc.media.probe import probe\nfrom avloc.errors import AvlocError", "media"),
        ("from avloc import __version__\nimport avloc.features", "inference"),
        ("from scipy import ndimage\nimport torch", "data"),
        ("def f():\n    import torch\nimport typer, rich\nprint(1)", "cli"),
        ("from avloc.errors import AvlocError\nimport numpy", ""),
        ("import average", "data"),
    ],
)
def test_the_test_lets_good_imports_pass(source, layer):
    assert breaches(source, layer) == []
