"""How the code is laid out: what may import what, and that what is needed is pinned."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autoencoder.ui.canvas import SEND_AT_ONCE

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "autoencoder"
WITHOUT_TENSORFLOW = [
    "__main__",
    "artifacts",
    "build.evaluate",
    "build.study",
    "classroom.room",
    "data",
    "disturb",
    "gallery.opening",
    "history",
    "ink.photo",
    "look",
    "measure.speed",
    "query.engine",
    "query.explain",
    "spaces",
    "study",
]


def imported(path):
    """The top-level packages that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_only_the_app_and_its_pages_import_streamlit():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in [ROOT / "app.py", *PACKAGE.rglob("*.py")]
        if {"streamlit", "streamlit_drawable_canvas"} & set(imported(path))
    }
    assert "app.py" in users
    assert all(user == "app.py" or user.startswith("autoencoder/ui/") for user in users)


@pytest.mark.parametrize("module", [*WITHOUT_TENSORFLOW, "ui.pages.search"])
def test_what_needs_no_tensorflow_does_not_import_it(module):
    check = f"import sys, autoencoder.{module}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT).returncode == 0


# What a folder may import of the others. Modules at the root belong to none: both ways share them.
MAY_IMPORT = {
    "ink": set(),
    "root": {"ink"},
    "query": {"ink", "root"},
    "gallery": {"ink", "root", "query"},
    "build": {"ink", "root", "query"},
    "measure": {"ink", "root", "query", "gallery", "build"},
    "classroom": {"ink", "root", "query"},
    "ui": {"ink", "root", "query", "gallery", "classroom"},
    "commands": {"ink", "root", "query", "gallery", "build", "measure"},
}


def modules():
    """The package's modules but its entry, by their dotted names."""
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__main__":
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_of_the_package(path):
    """The package's modules that a file imports anywhere."""
    names = {name for name, _ in modules()}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in names)
        elif isinstance(node, ast.ImportFrom):
            below = [f"{node.module}.{name.name}" for name in node.names]
            yield from ([name for name in below if name in names] or [node.module]) if node.module in names else ()


def folder(module):
    parts = module.split(".")
    is_in_folder = len(parts) > 1 and (PACKAGE / parts[1]).is_dir()
    return parts[1] if is_in_folder else "root"  # a folder that MAY_IMPORT lacks is a KeyError


def test_imports_run_one_way():
    for module, path in modules():
        allowed = MAY_IMPORT[folder(module)] | {folder(module)}
        others = {folder(imported) for imported in imports_of_the_package(path)}
        assert others <= allowed, f"{module} imports {others - allowed}"


def test_no_two_modules_import_each_other():
    needs = {module: set(imports_of_the_package(path)) - {module} for module, path in modules()}
    while leaves := [module for module, others in needs.items() if not others & needs.keys()]:
        for module in leaves:
            del needs[module]
    assert not needs, f"circles: {needs}"


@pytest.mark.parametrize("module", ["ui.pages.search", "gallery.opening"])
def test_serving_imports_nothing_of_the_training(module):
    check = (
        f"import sys, autoencoder.{module}; sys.exit(any(name.startswith('autoencoder.build') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT).returncode == 0


def requirements(name):
    """What a file and those that it names require, a line each, in order."""
    for line in (ROOT / name).read_text("utf-8").splitlines():
        if line.startswith("-r "):
            yield from requirements(line[3:])
        elif not line.startswith("#"):
            yield line


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-milvus-server.txt"])
def test_every_requirement_is_pinned_exactly(name):
    for line in requirements(name):
        assert "==" in line.split(";")[0], line


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_has_what_is_required_and_a_hash_of_each_package(name):
    packages = (ROOT / f"{name}.lock").read_text("utf-8").split("\n#")[-1]
    pinned = dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", packages, re.MULTILINE))
    required = dict(line.split(";")[0].split("==") for line in requirements(f"{name}.txt"))
    assert {package: pinned.get(package) for package in required} == required, "remake it: make lock"
    asked_for = re.findall(r"^([a-z0-9.-]+)==(?:(?!^[a-z]).)*?# +(?:via )?-r requirements", packages, re.M | re.S)
    assert set(asked_for) == set(required), "remake it: make lock"
    assert all("--hash=sha256:" in package for package in re.split(r"^(?=[a-z])", packages, flags=re.MULTILINE)[1:])


def test_the_server_is_closed_to_what_it_need_not_be_open_to():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["server"]["address"] == "localhost"
    assert config["server"]["enableXsrfProtection"] is True
    assert config["server"].get("enableCORS", True) is True
    assert (config["server"]["maxUploadSize"], config["server"]["maxMessageSize"]) == (5, 10)
    assert config["server"]["maxWidgetStateSize"] == 1
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"


def test_html_is_written_in_four_places_and_from_no_visitor_s_text():
    writers = {
        path.name: path.read_text("utf-8")
        for path in PACKAGE.rglob("*.py")
        if re.search(r"st\.html|unsafe_allow|components\.v2|\"html\"", path.read_text("utf-8"))
    }
    assert set(writers) == {"canvas.py", "style.py", "atlas.py", "wall.py"}
    assert writers["canvas.py"].count("st.html(") == writers["canvas.py"].count("st.html(SEND_AT_ONCE,") == 1
    assert SEND_AT_ONCE in writers["canvas.py"]  # as it stands, with nothing put into it
    assert writers["atlas.py"].count('TOOLTIP.replace("{sheet}", sheet)') == writers["atlas.py"].count('"html"') == 1
    assert "html" not in writers["wall.py"].lower()  # it builds its elements one by one
    assert "session_state" not in writers["style.py"]
    assert "query_params" not in writers["style.py"]


def test_nothing_is_loaded_by_pickle():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert "pickle" not in set(imported(path))
        assert text.count("np.load(") == text.count("allow_pickle=False"), path
