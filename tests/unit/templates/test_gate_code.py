"""The bundles that the templates embed."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import resources

import pytest

from patchgate.templates.gate_code import LINE_WIDTH, SCRIPTS, build_bundle, bundle, fill_lines, gate_hash, strip

ALONE = """
import sys, types

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"patchgate", "boto3", "botocore"}:
            raise ImportError(name)

for name in ("boto3", "botocore", "botocore.config"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["botocore.config"].Config = lambda **settings: settings
sys.meta_path.insert(0, Refuse())
scope = {"__name__": "index"}
exec(compile(sys.stdin.read(), "index.py", "exec"), scope)
print(callable(scope[sys.argv[1]]))
"""


def _source(name: str) -> str:
    return resources.files("patchgate.gate").joinpath(f"{name}.py").read_text(encoding="utf-8")


class _WithoutWhatBundlesLeaveOut(ast.NodeTransformer):
    """Docstrings and annotations of functions and their locals, taken out independently of the bundler."""

    def __init__(self) -> None:
        self.depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.depth += 1
        self._drop_docstring(node)
        node.returns = None
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        for argument in filter(None, every):
            argument.annotation = None
        self.generic_visit(node)
        self.depth -= 1
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._drop_docstring(node)
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if self.depth and node.value is not None:
            return ast.Assign([node.target], node.value)
        return node

    @staticmethod
    def _drop_docstring(node: ast.FunctionDef | ast.ClassDef) -> None:
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]


def _statements(source: str) -> list[str]:
    """Every top-level statement but imports and docstring, as its syntax tree without what bundles leave out."""
    tree = _WithoutWhatBundlesLeaveOut().visit(ast.parse(source))
    left_out = (ast.Import, ast.ImportFrom, ast.Expr)
    return [ast.dump(node) for node in tree.body if not isinstance(node, left_out)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_its_syntax_tree_is_that_of_its_parts(script: str) -> None:
    made = _statements(build_bundle(script))
    parts = _statements(_source("rules")) + _statements(_source(script))
    assert [statement for statement in parts if statement in made] == made


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_name_that_it_reads_is_there(script: str) -> None:
    tree = ast.parse(build_bundle(script))
    builtin = set(dir(__builtins__)) if not isinstance(__builtins__, dict) else set(__builtins__)
    bound = {alias.asname or alias.name for n in ast.walk(tree) for alias in getattr(n, "names", []) or []
             if isinstance(n, ast.Import | ast.ImportFrom)}  # fmt: skip
    bound |= {
        n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and n.name
    }
    bound |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    assert read - bound - builtin == set()


@pytest.mark.parametrize(("script", "entry"), SCRIPTS.items())
def test_it_is_imported_without_patchgate(script: str, entry: str) -> None:
    command = [sys.executable, "-I", "-c", ALONE, entry]
    done = subprocess.run(command, input=build_bundle(script), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_is_python_311_that_any_yaml_can_hold(script: str) -> None:
    text = build_bundle(script)
    ast.parse(text, feature_version=(3, 11))
    assert "\t" not in text
    assert text.isascii()
    assert all(line == line.rstrip() for line in text.splitlines())


def test_automation_finds_no_variable_in_the_prove_script() -> None:
    assert "{{" not in build_bundle("prove")


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_says_nothing_that_is_not_code(script: str) -> None:
    tree = ast.parse(build_bundle(script))
    documented = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef)]
    assert [ast.get_docstring(node) for node in documented if ast.get_docstring(node)] == []
    assert "#" not in build_bundle(script)


def test_the_hash_is_16_hexadecimal_digits() -> None:
    assert len(gate_hash()) == 16
    assert int(gate_hash(), 16) >= 0


RULES = '''"""Rules."""
import json
from datetime import UTC, datetime

LIMIT: int = 3  # of something


def used(now: datetime) -> bool:
    """Used."""
    seen: list[int] = []
    return helper(now) and not seen


def helper(now: datetime) -> bool:
    return now < datetime.now(UTC)


def unused() -> str:
    return json.dumps({})
'''
SCRIPT = '''"""A script."""

from __future__ import annotations

from datetime import UTC, datetime

from patchgate.gate.rules import used


def handler(event, context):
    """Handle it."""
    return used(
        datetime.now(UTC),
    )
'''


def test_it_takes_the_rules_that_the_script_needs_and_no_more() -> None:
    assert bundle(SCRIPT, RULES, entry="handler") == (
        "from datetime import UTC, datetime\n\n"
        "def used(now):\n seen = []\n return helper(now) and not seen\n\n"
        "def helper(now):\n return now < datetime.now(UTC)\n\n"
        "def handler(event, context):\n return used(datetime.now(UTC))\n"
    )


@pytest.mark.parametrize(
    "script",
    [
        SCRIPT.replace("from patchgate.gate.rules import used\n", ""),
        SCRIPT.replace("import used\n", "import used as other\n"),
        SCRIPT.replace("import used\n", "import *\n"),
        SCRIPT + "from patchgate.gate.rules import helper\n",
    ],
    ids=["none", "renamed", "star", "twice"],
)
def test_a_script_imports_the_rules_once_and_by_name(script: str) -> None:
    with pytest.raises(ValueError, match="exactly once, each rule by its own name"):
        bundle(script, RULES, entry="handler")


def test_a_function_that_is_only_a_docstring_is_refused() -> None:
    with pytest.raises(ValueError, match="a docstring alone"):
        strip('def nothing():\n    """Nothing."""\n')


def test_lines_are_filled_up_to_their_width() -> None:
    words = ",\n    ".join(f'"word{number}"' for number in range(30))
    filled = fill_lines(f"WORDS = [\n    {words},\n]\n")
    assert max(map(len, filled.splitlines())) <= LINE_WIDTH
    assert len(filled.splitlines()) < 6
    assert ast.literal_eval(filled.removeprefix("WORDS = "))[-1] == "word29"


def test_a_tuple_of_one_item_is_never_made_another_thing() -> None:
    with pytest.raises(ValueError, match="a tuple of one item"):
        fill_lines("ONE = (\n    1,\n)\n")
