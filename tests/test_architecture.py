"""Who imports whom, what stays out of which module, and how long functions and files may be.

Read from the syntax trees of all modules, so imports inside functions count. Every rule is
a function of a module's name and source that lists what is wrong; `MUTANTS` break one each.
"""

import ast
import sys
from functools import cache
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, DEDENT, ENDMARKER, INDENT, NEWLINE, NL, generate_tokens

import pytest

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]

# From the ground up: a module imports from its own floor and from those before it, and there is
# no circle. "" is the top folder, of which only the entrance and the old names stand elsewhere.
FLOORS = ["validation", "", "pruning", "losses", "penalties", "data", "objective", "solvers"]
FLOORS += ["gradient", "problem", "selection", "estimators", "networks", "display", "entrance"]
ENTRANCE = {"shrinklin", "shrinklin.distributed", "shrinklin.moved"}
# The mathematics: arrays in, arrays out.
ARRAYS_ONLY = {"factored", "groups", "losses", "linear_systems", "penalties", "objective"}
ARRAYS_ONLY |= {"data.design", "data.columns", "data.moments", "gradient.risk"}
ARRAYS_ONLY |= {"pruning.cost", "pruning.history", "pruning.pruner"}
# What `import shrinklin` may load; the rest is imported where it is used.
LIGHT = {"numpy", "scipy", "sklearn", "threadpoolctl"}
# What needs torch, and where it may be imported: the rest runs without.
NEEDS_TORCH = ("torch.", "shrinklin.networks.")
HAS_TORCH = ("shrinklin.networks.", "tests.networks.", "examples.", "benchmarks.")
HAS_TORCH += ("experiments.networks.",)
# Which of these folders, or which module of one, the modules of a folder may import.
FOLDERS = {
    "shrinklin": set(),
    "proofs_check": {"shrinklin.messages"},
    "datasets": {"shrinklin.messages"},
    "experiments": {"shrinklin", "datasets"},
    "benchmarks": {"shrinklin", "datasets", "experiments"},
    "examples": {"shrinklin", "datasets", "proofs_check"},
    "tests": {"shrinklin", "proofs_check", "datasets", "experiments", "benchmarks"},
}
# What runs code that it reads.
UNPICKLING = {"pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "builtins"}
LONGEST, MOST_CODE, MOST_LINES = 40, 400, 700
# An oracle that is worth more in one piece, beside the formulas it is read against.
LONG = {"tests.test_gradient_iterates.slow_training"}


@cache
def tree(source):
    return ast.parse(source)


def nodes(source, kinds):
    return [node for node in ast.walk(tree(source)) if isinstance(node, kinds)]


class Imports(ast.NodeVisitor):
    """The modules that a source imports, also by `shrinklin.messages.imported`.

    Pairs (module, whether inside a function).
    """

    def __init__(self, source):
        self.found, self._depth = [], 0
        self.visit(tree(source))

    def visit_FunctionDef(self, node):
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Import(self, node):
        self.found += [(alias.name, self._depth > 0) for alias in node.names]

    def visit_ImportFrom(self, node):
        module = "." * node.level + (node.module or "")
        self.found += [(f"{module}.{alias.name}", self._depth > 0) for alias in node.names]

    def visit_Call(self, node):
        self.generic_visit(node)
        if "imported" in (getattr(node.func, "id", None), getattr(node.func, "attr", None)):
            self.found.append((getattr(node.args[0], "value", ""), self._depth > 0))


def modules_of(folder):
    """Dotted names and sources of the modules of a folder."""
    found = {}
    # A stub stands for a compiled module.
    for file in sorted([*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.pyi")]):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = file.read_text(encoding="utf-8")
    return found


OURS = {name: source for folder in FOLDERS for name, source in modules_of(folder).items()}
SHRINKLIN = {name: source for name, source in OURS.items() if name.split(".")[0] == "shrinklin"}


def module_of(imported):
    """The module of ours that "module.name" comes from, None of somebody else's."""
    if imported in OURS:
        return imported
    parent = imported.rpartition(".")[0]
    return parent if parent in OURS else None


def floor_of(name):
    """The number of a module's floor; that of no folder is beyond all."""
    if name in ENTRANCE:
        return FLOORS.index("entrance")
    folder = name.split(".")[1]
    if not (ROOT / "shrinklin" / folder).is_dir():
        folder = ""
    return FLOORS.index(folder) if folder in FLOORS else len(FLOORS)


def upward_imports(name, source):
    modules = {module_of(imported) for imported, _ in Imports(source).found} & set(SHRINKLIN)
    above = [m for m in sorted(modules) if floor_of(m) > floor_of(name)]
    return [f"{name} imports {module}, which stands above it" for module in above]


def circles(name, source):
    """Whether a module, had it this source, would import itself by way of others."""
    sources = SHRINKLIN | {name: source}
    seen, ahead = set(), [name]
    while ahead:
        found = {module_of(i) for i, _ in Imports(sources[ahead.pop()]).found} & set(SHRINKLIN)
        if name in found:
            return [f"{name} imports itself by way of what it imports"]
        ahead += found - seen
        seen |= found
    return []


def across_folders(name, source):
    folder = name.split(".")[0]
    allowed = tuple(f"{own}." for own in {folder} | FOLDERS[folder])
    others = {i for i, _ in Imports(source).found if not f"{i}.".startswith(allowed)}
    wrong = {imported.split(".")[0] for imported in others} & set(FOLDERS)
    return [f"{name} imports from {other}/" for other in sorted(wrong)]


def relative_imports(name, source):
    found = [imported for imported, _ in Imports(source).found if imported.startswith(".")]
    return [f"{name} imports {imported}: write out the module" for imported in found]


def hidden_imports(name, source):
    """Imports that the other rules cannot see."""
    calls = {"import_module", "__import__"} & set(called(source))
    # Whose errors say what to install.
    return [f"{name} calls {call}" for call in calls if name != "shrinklin.messages"]


def heavy_on_import(name, source):
    light = LIGHT | sys.stdlib_module_names | {"shrinklin"}
    light |= {"torch"} if f"{name}.".startswith("shrinklin.networks.") else set()
    eager = [imported for imported, lazy in Imports(source).found if not lazy]
    heavy = [imported for imported in eager if imported.split(".")[0] not in light]
    return [f"{name} imports {imported} outside of a function" for imported in heavy]


def compiling(name, source):
    found = [imported for imported, _ in Imports(source).found if imported.startswith("numba")]
    return [f"{name} imports {i}: compiled loops are in kernels.pyx" for i in found]


def torch_elsewhere(name, source):
    if f"{name}.".startswith(HAS_TORCH):
        return []
    found = [imported for imported, _ in Imports(source).found]
    return [f"{name} imports {i}" for i in found if f"{i}.".startswith(NEEDS_TORCH)]


def beyond_arrays(name, source):
    inside = name.removeprefix("shrinklin.")
    if not {inside, inside.split(".")[0]} & ARRAYS_ONLY:
        return []
    allowed = {"numpy", "scipy", "shrinklin"} | sys.stdlib_module_names
    found = [imported for imported, _ in Imports(source).found]
    return [f"{name} imports {i}" for i in found if i.split(".")[0] not in allowed]


def private_names(name, source):
    """Names with a leading underscore of other packages, imported or reached through a dot."""
    origin = origins(source)
    used = [imported for imported, _ in Imports(source).found]
    used += [
        f"{origin[root]}.{node.attr}"
        for node in nodes(source, ast.Attribute)
        if private(node.attr) and (root := root_of(node)) in origin
    ]
    theirs = [path for path in used if path.split(".")[0] not in FOLDERS]
    return [f"{name} uses {path}" for path in theirs if any(map(private, path.split(".")))]


def origins(source):
    """The module or the object that a name stands for which an import has bound."""
    origin = {}
    for node in nodes(source, ast.Import | ast.ImportFrom):
        for alias in node.names:
            module = getattr(node, "module", None)
            bound = alias.asname or (alias.name if module else alias.name.split(".")[0])
            origin[bound] = f"{module}.{alias.name}" if module else alias.name
    return origin


def root_of(node):
    """The a of a.b.c, None of what does not begin with a name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return getattr(node, "id", None)


def private(part):
    return part.startswith("_") and part != "__future__" and not part.endswith("__")


def private_of_others(name, source):
    """Private attributes of objects, but for one's own and those that the module itself makes."""
    own = {node.name for node in nodes(source, ast.FunctionDef | ast.ClassDef)}
    own |= {node.attr for node in nodes(source, ast.Attribute) if isinstance(node.ctx, ast.Store)}
    own |= {node.id for node in nodes(source, ast.Name) if isinstance(node.ctx, ast.Store)}
    reached = [node for node in nodes(source, ast.Attribute) if private(node.attr)]
    hidden = [node for node in nodes(source, ast.Call) if private(name_given(node))]
    return [f"{name} reaches {ast.unparse(node)}" for node in hidden] + [
        f"{name} reaches {ast.unparse(node)}"
        for node in reached
        if node.attr not in own
        and getattr(node.value, "id", None) != "self"
        and not ast.unparse(node.value).startswith("super(")
    ]


def name_given(call):
    """The name in getattr(model, "name"), and in hasattr and setattr."""
    functions = {"getattr", "hasattr", "setattr"}
    if getattr(call.func, "id", None) not in functions or len(call.args) < 2:
        return ""
    named = getattr(call.args[1], "value", "")
    own = getattr(call.args[0], "id", None) == "self"
    return named if isinstance(named, str) and not own else ""


def talking_solvers(name, source):
    if not name.startswith("shrinklin.solvers"):
        return []
    imported = {i.split(".")[0] for i, _ in Imports(source).found}
    imported |= {module_of(i) for i, _ in Imports(source).found}
    told = imported & {"warnings", "logging", "shrinklin.messages"}
    told |= {"print", "warn"} & set(called(source))
    return [f"{name} uses {what}: a solver returns a Status" for what in sorted(told)]


def called(source):
    """Last names of everything that is called."""
    for node in nodes(source, ast.Call):
        yield getattr(node.func, "id", None) or getattr(node.func, "attr", None)


def evaluating(name, source):
    """Where what was read or downloaded could be run."""
    imported = {i.split(".")[0] for i, _ in Imports(source).found} & UNPICKLING
    found = [f"{name} imports {module}" for module in sorted(imported)]
    origin = origins(source)
    for node in nodes(source, ast.Call):
        function = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        package = origin.get(root_of(node.func), "").split(".")[0]
        evaluates = function in {"eval", "exec", "query", "read_pickle"}
        evaluates |= function == "compile" and package not in {"re", "torch"}
        evaluates |= function == "load" and package == "joblib"
        evaluates |= function == "load" and package == "torch" and not given(node, "weights_only")
        evaluates |= function == "load" and package == "numpy" and not refuses_objects(node)
        found += [f"{name} calls {function}"] * evaluates
    return found


def read_messages(name, source):
    """Where the text of an error is more than quoted, as `Other(f"... {error}")` quotes it."""
    errors = {node.name for node in nodes(source, ast.ExceptHandler) if node.name} | {"error"}
    return [
        f"{name} reads a message: {ast.unparse(parent)}"
        for parent in ast.walk(tree(source))
        for node in ast.iter_child_nodes(parent)
        if holds_text(node, errors) and not (isinstance(node, ast.JoinedStr) and quotes(parent))
    ]


def holds_text(node, errors):
    """Whether this is the text of an error: by str or repr, in an f-string, or its arguments."""
    match node:
        case ast.Call(func=ast.Name("str" | "repr" | "format"), args=[ast.Name(name), *_]):
            return name in errors
        case ast.Attribute(ast.Name(name), "args" | "msg" | "message" | "strerror"):
            return name in errors
        case ast.JoinedStr(parts):
            inside = [getattr(getattr(part, "value", None), "id", None) for part in parts]
            return not errors.isdisjoint(inside)
    return False


def quotes(parent):
    """Whether a text in this place begins or tells of an error."""
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name)


def refuses_objects(call):
    return given(call, "allow_pickle") is False


def given(call, name):
    """The constant that a call gives as an argument, None if it gives none."""
    words = {word.arg: getattr(word.value, "value", None) for word in call.keywords}
    return words.get(name)


def long_functions(name, source):
    return [
        f"{function} has {length} lines"
        for function, length in lengths(name, source).items()
        if length > LONGEST and function not in LONG
    ]


def long_files(name, source):
    lines = len(source.splitlines())
    return [
        f"{name} has {lines} lines, {n} of code"
        for n in [code_lines(source)]
        if n > MOST_CODE or lines > MOST_LINES
    ]


def code_lines(source):
    """Lines that hold more than a comment, a docstring or nothing."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    told = [node.body[0] for node in nodes(source, kinds) if ast.get_docstring(node) is not None]
    docs = {line for node in told for line in range(node.lineno, node.end_lineno + 1)}
    found = set()
    for token in generate_tokens(StringIO(source).readline):
        if token.type not in (COMMENT, NL, NEWLINE, INDENT, DEDENT, ENDMARKER):
            found |= set(range(token.start[0], token.end[0] + 1))
    return len(found - docs)


def lengths(name, source):
    functions = nodes(source, ast.FunctionDef | ast.AsyncFunctionDef)
    return {
        f"{name}.{function.name}": length_of(function)
        for function in functions
        if not stores_parameters(function)
    }


def stores_parameters(function):
    """Whether it is a constructor as scikit-learn wants it: ``self.x = x`` for each parameter."""
    stored = {f"self.{each.arg} = {each.arg}" for each in function.args.args[1:]}
    stored |= {f"self.{each.arg} = {each.arg}" for each in function.args.kwonlyargs}
    return function.name == "__init__" and {ast.unparse(s) for s in function.body} == stored


def length_of(function):
    """Lines of a function, without those of its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    return lines - (function.body[0].end_lineno - function.body[0].lineno + 1)


OF_SHRINKLIN = [upward_imports, circles, heavy_on_import, beyond_arrays, talking_solvers]
OF_SHRINKLIN += [hidden_imports, private_of_others, compiling, read_messages]
OF_ALL = [evaluating, across_folders, relative_imports, private_names, long_functions, long_files]
OF_ALL += [torch_elsewhere]
# Tests use private names and run code of the documents on purpose.
NOT_OF_TESTS = [private_names, evaluating]
# It shows how a model is loaded, on a file of its own.
SAVES_AND_LOADS = "examples.plot_take_away"


def held_to(rule):
    """The modules that a rule of `OF_ALL` holds for, with their sources."""
    free = ("tests.",) if rule in NOT_OF_TESTS else ()
    free += (SAVES_AND_LOADS,) if rule is evaluating else ()
    return {name: source for name, source in OURS.items() if not name.startswith(free)}


@pytest.mark.parametrize("rule", OF_SHRINKLIN, ids=lambda rule: rule.__name__)
def test_of_shrinklin(rule):
    assert [wrong for name, source in SHRINKLIN.items() for wrong in rule(name, source)] == []


@pytest.mark.parametrize("rule", OF_ALL, ids=lambda rule: rule.__name__)
def test_of_every_folder(rule):
    assert [wrong for name, source in held_to(rule).items() for wrong in rule(name, source)] == []


def test_no_folder_may_have_long_files_or_functions():
    assert held_to(long_files) == held_to(long_functions) == OURS
    assert {name.split(".")[0] for name in OURS} == set(FOLDERS)


def test_every_folder_has_a_floor():
    folders = {file.parent.name for file in (ROOT / "shrinklin").glob("*/*.py")}
    assert folders == set(FLOORS) - {"", "entrance"}
    assert set(SHRINKLIN) >= ENTRANCE
    inside = {name.removeprefix("shrinklin.") for name in SHRINKLIN}
    assert inside | set(FLOORS) >= ARRAYS_ONLY


def test_what_is_excused_is_there_and_is_long():
    found = {}
    for name, source in OURS.items():
        found |= lengths(name, source)
    assert all(found[function] > LONGEST for function in LONG)


MUTANTS = [
    (upward_imports, "shrinklin.losses", "from shrinklin.selection.alphas import alpha_grid"),
    (upward_imports, "shrinklin.estimators.base", "import shrinklin.display.path"),
    # Where only a function does it, and the entrance, through which all could be had.
    (upward_imports, "shrinklin.data.moments", "def f():\n import shrinklin.objective.quadratic"),
    (upward_imports, "shrinklin.selection.path", "from shrinklin import GroupLassoRegressor"),
    (circles, "shrinklin.solvers.newton", "from shrinklin.solvers import local_search"),
    (circles, "shrinklin.groups", "def f():\n from shrinklin.groups import Groups"),
    (circles, "shrinklin.objective.smooth", "import shrinklin.objective.objective"),
    (heavy_on_import, "shrinklin.display.path", "import matplotlib.pyplot as plt"),
    (
        heavy_on_import,
        "shrinklin.selection.path",
        "try:\n from tqdm.auto import tqdm\nexcept E: pass",
    ),
    (heavy_on_import, "shrinklin.selection.path", "class A:\n import pandas"),
    (heavy_on_import, "shrinklin.solvers.newton", "from numba import njit"),
    (compiling, "shrinklin.solvers.newton", "def f():\n from numba import njit"),
    (beyond_arrays, "shrinklin.losses", "def f():\n from sklearn.utils import check_array"),
    (beyond_arrays, "shrinklin.losses", "def f():\n imported('pandas', 'f', 'files')"),
    (heavy_on_import, "shrinklin.display.path", "plt = imported('matplotlib.pyplot', 'p', 'plot')"),
    (heavy_on_import, "shrinklin.networks.gates", "import torch\nfrom tqdm.auto import tqdm"),
    (heavy_on_import, "shrinklin.estimators.base", "import torch"),
    (torch_elsewhere, "shrinklin.estimators.base", "import torch"),
    (torch_elsewhere, "shrinklin.pruning.removal", "def f():\n from torch.nn import Module"),
    (torch_elsewhere, "shrinklin.display.path", "def f():\n imported('torch', 'f', 'networks')"),
    # A name that only begins like that of the folder.
    (torch_elsewhere, "shrinklin.networks_of_others", "import torch"),
    (torch_elsewhere, "shrinklin", "from shrinklin.networks import Switch"),
    (torch_elsewhere, "shrinklin", "from shrinklin import networks"),
    (torch_elsewhere, "experiments.run", "import torch.nn.functional as F"),
    (torch_elsewhere, "tests.problems", "import torch"),
    (upward_imports, "shrinklin.estimators.base", "def f():\n import shrinklin.networks"),
    (talking_solvers, "shrinklin.solvers.newton", "import warnings"),
    (talking_solvers, "shrinklin.solvers.newton", "from shrinklin.messages import progress"),
    (talking_solvers, "shrinklin.solvers.newton", "def f():\n print(1)"),
    (
        hidden_imports,
        "shrinklin.selection.path",
        "import importlib\nimportlib.import_module('pandas')",
    ),
    (hidden_imports, "shrinklin.selection.path", "__import__('experiments')"),
    (across_folders, "shrinklin.selection.path", "import datasets"),
    (across_folders, "shrinklin.selection.path", "def f():\n from tests.problems import PROBLEMS"),
    (across_folders, "datasets.loading", "from shrinklin import Moments"),
    (across_folders, "datasets.loading", "from shrinklin.data.moments import Moments"),
    (across_folders, "proofs_check.claim", "import experiments.run"),
    (relative_imports, "shrinklin.selection.path", "from . import moments"),
    (relative_imports, "shrinklin.selection.path", "def f():\n from ..tests import problems"),
    (
        private_names,
        "shrinklin.estimators.base",
        "from sklearn.utils._param_validation import Interval",
    ),
    (private_names, "shrinklin.estimators.base", "from sklearn.base import _fit_context"),
    (private_of_others, "shrinklin.estimators.cv", "def f(model):\n model._check_parameters()"),
    (private_of_others, "shrinklin.estimators.cv", "def f(self):\n self.model._solver().solve()"),
    (private_of_others, "shrinklin.estimators.cv", "def f(model):\n getattr(model, '_validate')"),
    (upward_imports, "shrinklin.losses.loss", "messages.imported('shrinklin.display', 'p', 'p')"),
    (private_names, "shrinklin.estimators.base", "import sklearn\nsklearn.utils._tags.f()"),
    (private_names, "shrinklin.estimators.base", "import numpy as np\nnp._core.multiarray"),
    (private_names, "experiments.run", "from sklearn import utils\nutils._indexing"),
    (evaluating, "datasets.files", "import numpy as np\nnp.load(file)"),
    (evaluating, "datasets.files", "from numpy import load\nload(file)"),
    (evaluating, "datasets.files", "from joblib import load\nload(file)"),
    (evaluating, "datasets.files", "import numpy\nnumpy.load(file, allow_pickle=allowed)"),
    (evaluating, "datasets.files", "def f():\n import pickle"),
    (evaluating, "datasets.files", "from yaml import safe_load"),
    (evaluating, "datasets.files", "eval(text)"),
    (evaluating, "datasets.files", "frame.query(text)"),
    (evaluating, "datasets.files", "exec(compiled)"),
    (evaluating, "shrinklin.networks.course", "import torch\ntorch.load(file)"),
    (evaluating, "experiments.results", "import joblib\njoblib.load(file)"),
    (evaluating, "experiments.results", "import pandas as pd\npd.read_pickle(file)"),
    (evaluating, "shrinklin.data.readers", "compile(text, 'f', 'exec')"),
    *[
        (read_messages, "shrinklin.data.readers", f"try:\n f()\nexcept E as e:\n {body}")
        for body in (
            "if 'a' in str(e): raise",
            "if re.search('a', str(e)): raise",
            "return str(e).startswith('a')",
            "return f'{e}'.endswith('a')",
            "return re.search('a', f'{e}')",
            "text = f'{e}'\n return 'a' in text",
            "return e.args[0] == 'a'",
        )
    ],
    (read_messages, "shrinklin.validation.data", "def f(error):\n return 'a' in repr(error)"),
    (upward_imports, "shrinklin.validation.data", "from shrinklin.precision import narrowest"),
    (long_files, "shrinklin.selection.path", "x = 1\n" * (MOST_CODE + 1)),
    (long_files, "experiments.run", "\n# Why.\n" * (MOST_LINES // 2 + 1)),
    (long_functions, "shrinklin.selection.path", "def f():\n" + " x = 1\n" * LONGEST),
    *[
        (long_functions, "shrinklin.selection.path", f"class A:\n {begin}" + "  x = 1\n" * LONGEST)
        for begin in ("async def f():\n", "def __init__(self, a):\n  self.a = a\n")
    ],
]


@pytest.mark.parametrize(("rule", "name", "source"), MUTANTS)
def test_a_mutant_of_every_rule_is_rejected(rule, name, source):
    assert len(rule(name, source)) == 1


def test_what_is_allowed_is_let_through():
    source = "def f():\n '''Long.\n" + "\n" * LONGEST + "'''\n import pandas\n"
    assert [rule("shrinklin.selection.path", source) for rule in OF_SHRINKLIN + OF_ALL] == [[]] * 16
    own = "from shrinklin.solvers.search import _least\nimport shrinklin.pruning\nx = y._private"
    assert private_names("shrinklin.selection.path", own) == []
    assert upward_imports("shrinklin.selection.path", own) == []
    network = "import torch\nfrom torch import nn\nfrom shrinklin.pruning.removal import Removal"
    for rule in OF_SHRINKLIN + OF_ALL:
        assert rule("shrinklin.networks.gates", network) == []
    assert torch_elsewhere("tests.networks.test_gates", "import torch") == []
    assert torch_elsewhere("tests.problems", "import torchless") == []
    quoted = "try:\n f()\nexcept E as e:\n e.add_note('g')\n raise ValueError(f'h: {e}') from e"
    assert read_messages("shrinklin.selection.path", quoted) == []


def test_every_rule_has_a_mutant():
    assert {rule for rule, _, _ in MUTANTS} == {*OF_SHRINKLIN, *OF_ALL}
