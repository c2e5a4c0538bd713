"""Would a test notice? Changes one decision of a module at a time and runs the unit tests of that module.

    python tests/benchmarks/mutants.py steps/split.py local_sagemaker/definition [--each 12] [--seed 0]

A change is a boundary (< for <=), an operator, a condition turned round, a number one larger, `min` for `max`, `and`
for `or`. What errors and notes say is left alone. A mutant that no test fails on is printed; then comes the score.
Each mutant runs in a fork of a process that has imported the libraries, and has a minute.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import io
import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("pytest", "hypothesis", "numpy", "pandas", "scipy.stats", "pyarrow.parquet", "xgboost", "botocore.session",
             "boto3", "pydantic", "yaml")  # fmt: skip
SECONDS = 60
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
WORDS = (ast.JoinedStr, ast.Raise, ast.Assert)  # what is only said


def decisions(tree: ast.AST) -> Iterator[ast.AST]:
    """What can be changed, in the order of the source; nothing of annotations, defaults of types, or words."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, WORDS):
                if changed(child):
                    yield child
                yield from decisions(child)


def changed(node: ast.AST) -> str:
    """What the change of a node is called; empty where it has none."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPPED:
            return f"{type(op).__name__} -> {SWAPPED[type(op)].__name__}"
        case ast.BoolOp(op=op):
            return f"{type(op).__name__} -> {SWAPPED[type(op)].__name__}"
        case ast.BinOp(op=op) if type(op) in SWAPPED and not any(
            isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
            for side in (node.left, node.right)
        ):
            return f"{type(op).__name__} -> {SWAPPED[type(op)].__name__}"
        case ast.UnaryOp(op=ast.Not()):
            return "not left out"
        case ast.Constant(value=bool()):
            return f"{node.value} -> {not node.value}"
        case ast.Constant(value=int() | float()):
            return f"{node.value} -> {node.value + 1}"
        case ast.Call(func=ast.Name(id=name)) if name in CALLED:
            return f"{name} -> {CALLED[name]}"
        case (
            ast.If(test=ast.Name() | ast.Attribute() | ast.Call())
            | ast.IfExp(test=ast.Name() | ast.Attribute() | ast.Call())
        ) if "TYPE_CHECKING" not in ast.dump(node.test):
            return "condition turned round"
    return ""


def change(node: ast.AST) -> None:
    """Do it, in place."""
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [SWAPPED[type(op)]()]
        case ast.BoolOp(op=op) | ast.BinOp(op=op):
            node.op = SWAPPED[type(op)]()
        case ast.UnaryOp():
            node.op = ast.UAdd()
            node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant():
            node.value += 1
        case ast.Call(func=ast.Name() as function):
            function.id = CALLED[function.id]
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
    ast.fix_missing_locations(node)


def mutants(source: str) -> list[tuple[int, str, ast.Module]]:
    """Each decision's line, its change, and the module with it."""
    tree = ast.parse(source)
    found = []
    for number, node in enumerate(decisions(tree)):
        mutant = copy.deepcopy(tree)
        there = list(decisions(mutant))[number]
        what, line = changed(node), getattr(node, "lineno", 0)
        change(there)
        found.append((line, what, mutant))
    return found


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the mutant where the module is imported."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(self, fullname: str, path: object, target: object = None) -> object:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def create_module(self, spec: object) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


@cache
def tables_of_tests() -> Any:
    """tests/test_modules.py, by its path: `tests` is the name of a package of somebody else too."""
    spec = importlib.util.spec_from_file_location("test_modules", ROOT / "tests" / "test_modules.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def tests_of(path: Path) -> list[str]:
    """The test files of a module: the one named for it first, then what imports it or is said to cover it."""
    tables = tables_of_tests()
    name = tables.module(path)
    named = ROOT / "tests" / path.relative_to(ROOT).parent / f"test_{path.name}"
    files = {test for test in (ROOT / "tests").rglob("test_*.py") if name in tables.imported(test)}
    files |= {ROOT / "tests" / test for test, names in tables.INSIDE.items() if name in names}
    files |= {named} if named.exists() else set()
    return [str(file.relative_to(ROOT)) for file in sorted(files, key=lambda file: (file != named, file))]


def is_noticed(path: Path, tree: ast.Module | None, test: str) -> bool:
    """Whether a file's tests fail, or do not end in time; without a tree, with the module as it is."""
    pid = os.fork()
    if pid == 0:
        import pytest

        signal.alarm(SECONDS)
        if tree is not None:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            sys.meta_path.insert(0, Instead(name, path, tree))
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            options = ["-x", "-q", "-m", "not e2e", "-p", "no:cacheprovider"]
            code = pytest.main([*options, test])
        os._exit(0 if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else 1)
    return os.waitpid(pid, 0)[1] != 0


def main() -> None:
    """Score the modules that are named, and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--each", type=int, help="at most so many mutants of each module, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for library in LIBRARIES:
        importlib.import_module(library)
    given = (ROOT / path for path in options.paths)
    paths = [file for path in given for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    total = noticed = 0
    for path in paths:
        tests = tests_of(path)
        found = mutants(path.read_text(encoding="utf-8"))
        if not tests or not found:
            continue
        failing = [test for test in tests if is_noticed(path, None, test)]
        if failing:
            print(f"{path.relative_to(ROOT)}: these fail with the module as it is: {' '.join(failing)}", flush=True)
            continue
        chosen = (
            found if options.each is None else random.Random(options.seed).sample(found, min(options.each, len(found)))
        )
        killed = 0
        for line, what, tree in chosen:
            if any(is_noticed(path, tree, test) for test in tests):
                killed += 1
            else:
                print(f"{path.relative_to(ROOT)}:{line}: {what}", flush=True)
        print(f"{path.relative_to(ROOT)}: {killed} of {len(chosen)} noticed", flush=True)
        total, noticed = total + len(chosen), noticed + killed
    print(f"{noticed} of {total} noticed")


if __name__ == "__main__":
    main()
