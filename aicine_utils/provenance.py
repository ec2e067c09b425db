"""What made a result: source, versions, host, seconds, memory."""

import ast
import contextlib
import ctypes
import hashlib
import importlib.util
import os
import platform
import subprocess
import threading
import time
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import psutil

from aicine_utils import settings

# Packages whose modules are found by name at run time, so that no import tells of them, by the module that finds them.
FOUND_BY_NAME = {"aicine_utils.models.registry": "models", "aicine_utils.feedback.update": "feedback/updates"}
PACKAGES = ["numpy", "scipy", "pandas", "scikit-surprise", "implicit", "gensim", "torch", "recbole", "lightfm-next"]


def digest(parts: Iterable[str]) -> str:
    """Twelve hex digits of the sha256 of some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


@cache
def source_of(module: str, within: str = "aicine_utils") -> str:
    """Digest of the code of a module and of the modules below ``within`` that it imports, at any depth.

    Comments, docstrings and layout leave it unchanged.
    """
    seen = _reached(module, within)
    return digest(f"{name}={seen[name]}" for name in sorted(seen))


def _reached(module: str, within: str = "aicine_utils") -> dict[str, str]:
    """Code by name of a module and of what it imports, at any depth."""
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name], imports = _code(name)
            waiting += [found for found in imports if found.startswith(within)]
    return seen


def imports(module: str, package: str) -> bool:
    """Whether a module, or one that it imports at any depth, imports anything of a package of this project."""
    return any(name == package or name.startswith(f"{package}.") for name in _reached(module))


def source_of_script(path: Path) -> str:
    """Digest of the code that a script imports from this project, at any depth; its own text is not in it.

    What a module finds by name (:data:`FOUND_BY_NAME`) counts as imported with it.
    """
    modules = sorted(_imports(ast.parse(path.read_text(encoding="utf-8"))))
    reached = {name for module in modules for name in _reached(module)}
    packages = [package for finder, package in FOUND_BY_NAME.items() if finder in reached]
    return digest([*map(source_of_package, packages), *map(source_of, modules)])


def source_of_package(folder: str) -> str:
    """Digest of the code of every module below a folder of ``aicine_utils``, and of what these import."""
    package = Path(__file__).parent
    files = sorted(file.relative_to(package.parent).with_suffix("") for file in (package / folder).rglob("*.py"))
    return digest(source_of(".".join(file.parts)) for file in files)


@cache
def _code(module: str) -> tuple[str, set[str]]:
    """A module's code as text without docstrings and comments, and what it imports from this project."""
    tree = _bare_tree(module)
    return ast.dump(tree), _imports(tree)


def _bare_tree(module: str) -> ast.Module:
    """Syntax tree of a module without docstrings (comments are not in a tree)."""
    spec = importlib.util.find_spec(module)
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return tree


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports(tree: ast.Module) -> set[str]:
    """Modules of this project that a tree imports, wherever the import stands."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.startswith("aicine_utils") and _is_module(name)}


def _is_module(name: str) -> bool:
    path = Path(__file__).parent.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@cache
def environment() -> dict[str, Any]:
    """Git revision, Python, versions of the packages that results depend on, host."""
    return {
        "revision": revision(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "host": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
                f"{psutil.virtual_memory().total / 2**30:.0f} GB",
    }  # fmt: skip


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def revision() -> str:
    """Short git revision of the code with "+" when the tree has changes; "unknown" outside a checkout.

    The published reports are no code: making them anew changes them, and nothing that they are made by.
    """
    try:
        described = _git("describe", "--always", "--abbrev=10")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!outputs", ":!README.md")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return described + ("+" if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(settings.ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()


class Cost:
    """Wall-clock seconds and the peak of memory of a block, MB.

    Memory is what the process gained since the start of the block, after what it had freed went back to the system: a
    block that fills what another left would seem to need nothing. With ``tree`` it is all that the process and its
    children hold (a notebook's kernel is a child).
    """

    interval_seconds = 0.02

    def __init__(self, tree: bool = False) -> None:
        self.tree = tree

    def __enter__(self) -> Self:
        self._process = psutil.Process()
        if not self.tree:
            _give_back()
        self._base = 0 if self.tree else self._held()
        self._peak = self._held()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self._start = time.perf_counter()
        return self

    def _held(self) -> int:
        family = [self._process, *self._process.children(recursive=True)] if self.tree else [self._process]
        held = 0
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # a child may end between listing and asking
                held += process.memory_info().rss
        return held

    def _watch(self) -> None:
        while not self._stop.wait(self.interval_seconds * (10 if self.tree else 1)):
            self._peak = max(self._peak, self._held())

    def __exit__(self, *_: object) -> None:
        self.seconds = round(time.perf_counter() - self._start, 4)
        self._stop.set()
        self._thread.join()
        self._peak = max(self._peak, self._held())
        self.peak_mb = round((self._peak - self._base) / 1e6, 1)


def _give_back() -> None:
    """Return freed memory to the system, which the C library keeps for later; only glibc can be asked to."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
