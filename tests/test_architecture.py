"""The structure of the project: imports point one way, and nothing grows too large."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

from tinycnn.cli import COMMANDS

ROOT = Path(__file__).parent.parent

LONG_FILES = {
    "tinycnn.nn.reference": "every operation with its derivation, to be read from top to bottom",
    "tinycnn.kernels.simd": "every vector operation beside the instruction that it becomes",
    "tinycnn.kernels.winograd": "a convolution and both its gradients share their transforms",
}
"""Files of more than 300 lines, and why they are."""

FLOORS = [
    ["errors", "files", "streams", "console", "signals", "cli", "notebook"],
    ["kernels"],
    ["nn", "data", "metrics", "plots"],
    ["exchange", "augment", "ink", "interpret"],
    ["train"],
    ["adapt", "compare", "evaluate", "explain", "predict", "report", "sweep", "estimator"],
    ["convert", "export", "__main__"],
    ["apps"],
    ["benchmarks"],
]
"""The rooms from bottom to top; the module of a command is above all rooms."""

INSIDE_NN = [
    {"reference", "schedules", "shapes"},
    {"checks", "lending"},
    {"layers", "differences"},
    {"more_layers"},
    {"fusion", "losses", "optimizers", "repeats", "weights"},
    {"inference", "text"},
    {"model", "open_set"},
    {"presets", "fit", "folding", "classifier"},
    {"gradcheck"},
]
"""From bottom to top."""


def source_files():
    """From a module's name to its file."""
    files = {}
    for top in ("tinycnn", "apps", "benchmarks"):
        for path in sorted((ROOT / top).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            files[name.removesuffix(".__init__")] = path
    return files


FILES = source_files()
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def imports(name, tree):
    """The modules of this project that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports by dots"
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inside & FILES.keys()) or {node.module}
    return found & FILES.keys()


GRAPH = {name: imports(name, tree) for name, tree in TREES.items()}


def floor_of(name):
    top, *inner = name.split(".")
    if top != "tinycnn":
        room = top
    elif name in ("tinycnn.nn.reference", "tinycnn.nn.shapes"):
        room = "kernels"  # its readable half, which imports nothing but NumPy
    elif not inner:
        room = "errors"  # tinycnn itself imports nothing before it is asked
    else:
        room = "__main__" if inner[-1] == "__main__" else inner[0]
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


def functions(tree, prefix=""):
    """All functions of a module with their dotted names."""
    for node in ast.iter_child_nodes(tree):
        name = f"{prefix}.{getattr(node, 'name', '')}".strip(".")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from functions(node, name)


def length(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


# ------------------------------------------------------------------------------------- directions


def test_imports_point_downwards():
    upwards = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if floor_of(other) > floor_of(name)
    ]
    assert upwards == []


def test_imports_inside_nn_point_downwards():
    floors = {module: floor for floor, modules in enumerate(INSIDE_NN) for module in modules}
    inside = {name: name.split(".")[2] for name in FILES if name.startswith("tinycnn.nn.")}
    assert set(inside.values()) == set(floors), "a module of nn has no floor"
    upwards = [
        f"{name} imports {other}"
        for name, module in inside.items()
        for other in GRAPH[name] & inside.keys()
        if floors[inside[other]] > floors[module]
    ]
    assert upwards == []


def test_no_import_goes_round_in_a_circle():
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for other in sorted(GRAPH[name]):
                visit(other)
            done.add(path.pop())

    for name in GRAPH:
        visit(name)


def test_only_what_explains_checks_or_cannot_wait_for_the_compiler_runs_the_reference():
    users = {name for name, others in GRAPH.items() if "tinycnn.nn.reference" in others}
    others = users - {
        "tinycnn.explain.catalogue",
        "tinycnn.exchange.verification",
        "tinycnn.kernels",
        "tinycnn.nn.layers",  # for ``flush``, which is no operation
        "apps.sketchpad.engine",
    }
    assert {name.split(".")[0] for name in others} <= {"benchmarks"}


def test_importing_tinycnn_imports_no_command_and_no_compiler():
    program = "import sys, tinycnn; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "tinycnn" in loaded
    assert not loaded & {"numba", "numpy", "argparse", "rich", "pygame"}
    assert not {name for name in loaded & FILES.keys() if floor_of(name)}


# ------------------------------------------------------------------------------------------ sizes


def test_no_file_is_longer_than_300_lines_without_a_reason():
    long = {name for name, path in FILES.items() if len(path.read_text().splitlines()) > 300}
    assert long == set(LONG_FILES)


def test_no_function_is_longer_than_30_lines():
    long = {
        f"{module}.{name}"
        for module, tree in TREES.items()
        for name, function in functions(tree)
        if length(function) > 30
    }
    assert long == set()


def test_every_file_opens_with_a_sentence():
    silent = [name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def requirements(text):
    """The names of packages in a list of setup.cfg, as they are imported."""
    names = re.findall(r"^\s*([\w-]+)", text, re.MULTILINE)
    return {{"Pillow": "PIL", "scikit-learn": "sklearn"}.get(n, n).lower() for n in names}


def test_training_and_predicting_need_seven_packages():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    core = requirements(setup["options"]["install_requires"])
    assert core == {"numpy", "numba", "scipy", "safetensors", "pooch", "rich", "pil"}


def test_a_package_that_is_missing_is_looked_for_in_the_extra_that_has_it():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = {k: requirements(v) for k, v in setup["options.extras_require"].items()}
    asked = [
        (call.args[0].value, next(k.value.value for k in call.keywords if k.arg == "extra"))
        for tree in TREES.values()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "need" and call.keywords
    ]
    assert asked
    for package, extra in asked:
        assert package in extras[extra], f"{package} is not in the extra {extra}"


# -------------------------------------------------------------------------------------- the rules


def calls(tree):
    """What a module calls, as it is written."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_no_code_is_made_of_data():
    """Not np.load either: the formats of this project are IDX, JSON and safetensors."""
    forbidden = {"eval", "exec", "compile", "np.load", "os.system", "pickle.load", "pickle.loads"}
    for name, tree in TREES.items():
        if not name.startswith("benchmarks"):
            assert not calls(tree) & forbidden, name
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "shell"):
                assert not ast.literal_eval(node.value), f"{name}: {node.arg}"


def test_every_command_ends_through_the_frame_of_the_commands():
    for module, _ in COMMANDS.values():
        _, _, guarded = FILES[module].read_text().partition('if __name__ == "__main__":')
        assert "run_command(main))" in guarded, module


def test_no_command_writes_json_that_may_hold_nan():
    modules = {module for module, _ in COMMANDS.values()}
    for name in modules | {name for name in FILES if re.fullmatch(r"tinycnn\.\w+\.command", name)}:
        assert not calls(TREES[name]) & {"json.dump", "json.dumps"}, f"{name}: files.to_json"


def decorated(tree, decorator):
    for _, function in functions(tree):
        if decorator in [ast.unparse(d) for d in function.decorator_list]:
            yield function


def test_parallel_kernels_raise_nothing_and_say_who_owns_what():
    """An exception in a helper is lost; two owners of one place are a race."""
    found = 0
    for name, path in FILES.items():
        lines, tree = path.read_text().splitlines(), TREES[name]
        calls_of_names = {ast.unparse(z.func) for z in ast.walk(tree) if isinstance(z, ast.Call)}
        assert not calls_of_names & {"parallel_over", "prange"}, f"{name}: decorate the loop's body"
        for function in decorated(tree, "parallel_over"):
            found += 1
            line = lines[function.decorator_list[0].lineno - 1]
            assert re.search(r"# \w+ owns ", line), f"{name}: {line}"
            for node in ast.walk(function):
                assert not isinstance(node, ast.Raise | ast.Assert), f"{name}.{function.name}"
    assert found > 15


def test_no_floating_point_shortcut_is_taken():
    """Neither numba's nor LLVM's: they assume that there is no NaN, and add in any order."""
    shortcut = re.compile(r"fastmath|flags=")
    assert shortcut.search("numba.njit(function, fastmath=True)")
    assert shortcut.search('builder.fadd(x, y, flags=("fast",))')
    assert [name for name, path in FILES.items() if shortcut.search(path.read_text())] == []
