"""Small files, small functions, small ports: a reader holds each in the head."""

import ast

from tests.architecture.sources import SOURCE, modules, parsed, place

LINES_OF_A_FILE = 399
LINES_OF_A_FUNCTION = 50
METHODS_OF_A_PORT = 12


def test_files_are_short() -> None:
    files = [*modules(), *SOURCE.rglob("*.sql")]
    sizes = {place(path): len(path.read_text().splitlines()) for path in files}

    assert {path: size for path, size in sizes.items() if size > LINES_OF_A_FILE} == {}


def test_functions_are_short() -> None:
    sizes = {
        f"{place(path, node.lineno)} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: size for name, size in sizes.items() if size > LINES_OF_A_FUNCTION} == {}


def test_ports_are_narrow() -> None:
    sizes = {
        f"{place(path, port.lineno)} {port.name}": len(_methods(port))
        for path in modules("ports")
        for port in parsed(path).body
        if isinstance(port, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in port.bases)
    }

    assert sizes, "no port found: has the folder moved?"
    assert {name: size for name, size in sizes.items() if size > METHODS_OF_A_PORT} == {}


def _methods(port: ast.ClassDef) -> list[str]:
    """Return the verbs; a property (a store's way to its ports) is none."""
    functions = [node for node in port.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node.name for node in functions if "property" not in map(ast.unparse, node.decorator_list)]
