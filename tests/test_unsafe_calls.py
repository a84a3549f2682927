# SPDX-License-Identifier: Apache-2.0
"""Nothing in the repository runs code that it reads, or hands words to a shell."""

import ast
import subprocess
from pathlib import Path

import pytest

MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
CALLS = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "torch.load",
    "pd.read_pickle",
    "pandas.read_pickle",
    "yaml.load",
    "yaml.load_all",
    "yaml.full_load",
    "yaml.unsafe_load",
    "yaml.Loader",
    "yaml.UnsafeLoader",
    "yaml.FullLoader",
}
KEYWORDS = {"shell", "allow_pickle", "trust_remote_code"}


def unsafe(source):
    """Yield (line, what) of each unsafe thing in Python source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = []
        for name in names:
            if name.partition(".")[0] in MODULES or name in CALLS:
                yield node.lineno, f"import of {name}"
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in CALLS:
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                is_off = isinstance(keyword.value, ast.Constant) and not keyword.value.value
                if keyword.arg in KEYWORDS and not is_off:
                    yield node.lineno, f"{keyword.arg}={ast.unparse(keyword.value)}"


def python_files(repository: Path):
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git checkout: which files belong to the project is not known")
    for name in listed.stdout.splitlines():
        path = repository / name
        first = path.open("rb").readline(80) if path.is_file() else b""
        if path.suffix == ".py" or (first.startswith(b"#!") and b"python" in first):
            yield path


def test_no_file_unpickles_evaluates_or_asks_a_shell(repository):
    files = list(python_files(repository))
    assert len(files) > 200
    found = [
        f"{path.relative_to(repository)}:{line}: {what}"
        for path in files
        for line, what in unsafe(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('x')",
        "from torch import load",
        "yaml.load(text, Loader=yaml.SafeLoader)",
        "yaml.load_all(text)",
        "eval('1')",
        "exec(text)",
        "run = eval",
        "subprocess.run('ls', shell=True)",
        "subprocess.run('ls', shell=how)",
        "np.load(path, allow_pickle=True)",
        "import os\nos.system('ls')",
    ],
)
def test_what_is_unsafe_is_found(source):
    assert list(unsafe(source)), source


@pytest.mark.parametrize(
    "source", ["network.eval()", "yaml.safe_load(x)", "np.load(p)", "f(shell=False)", "re.exec"]
)
def test_what_only_looks_so_is_not(source):
    assert not list(unsafe(source))
