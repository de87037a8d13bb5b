"""Notebooks that do not run through, or are no notebooks at all: each costs only what it touches."""

from __future__ import annotations

import copy
from typing import Any

from .text import JUPYTER, TextNotebook, as_json, lines
from .official import official

GROW = "hoard = []\n{indent}while True:\n{indent}    hoard.append(np.ones(1_000_000))"


def syntax_error_in_one_cell() -> TextNotebook:
    return official().edit("class relu:", "class relu")


def cell_that_raises() -> TextNotebook:
    return official().before(
        "class relu", "plt.plot(losses)\nplt.show()", "assert linear_layer(4, 3).params['b'].shape == (3,)"
    )


def raises_before_a_definition() -> TextNotebook:
    return official().edit(
        "class relu:", "assert linear_layer(4, 3).params['b'].shape == (3,)\n\nclass relu:"
    )


def endless_loop_in_cell() -> TextNotebook:
    return official().before("class relu", "step = 0\nwhile step >= 0:\n    step += 1")


def endless_loop_that_catches_everything() -> TextNotebook:
    return official().before(
        "class relu",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
    )


def endless_loop_in_function() -> TextNotebook:
    return official().edit(
        "for layer_name in ['L1', 'L2']:", "layer_name = 'L1'\n    while layer_name in ['L1', 'L2']:"
    )


def os_exit_in_cell() -> TextNotebook:
    return official().before("class relu", "import os\nos._exit(0)")


def sys_exit_in_cell() -> TextNotebook:
    return official().before(
        "class relu", "import sys\nsys.exit('done for today')", "exit()", "raise SystemExit"
    )


def segfault_in_cell() -> TextNotebook:
    return official().before("class relu", "import ctypes\nctypes.string_at(0)")


def kills_itself_in_cell() -> TextNotebook:
    return official().before(
        "class relu", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nos.abort()"
    )


def out_of_memory_in_cell() -> TextNotebook:
    return official().before("class relu", GROW.format(indent=""))


def out_of_memory_in_function() -> TextNotebook:
    return official().edit(
        "    for name, module in model.items():\n        if hasattr(module, 'params'):\n            for key in module.params:",
        f"    {GROW.format(indent='    ')}\n    for name, module in model.items():\n        if hasattr(module, 'params'):\n            for key in module.params:",
    )


def array_too_large() -> TextNotebook:
    return official().before("class relu", "everything = np.ones((10**6, 10**6))")


def endless_recursion() -> TextNotebook:
    return official().edit(
        "    grad_a2 = model", "    backward_pass(model, x, a1, h1, a2, y)\n    grad_a2 = model"
    )


def missing_function() -> TextNotebook:
    return official().drop("def sgd_with_momentum")


def misspelt_class() -> TextNotebook:
    return official().edit("class relu:", "class ReLU:").edit("'nonlinear1': relu()", "'nonlinear1': ReLU()")


def wrong_signature() -> TextNotebook:
    return (
        official()
        .edit(
            "def backward_pass(model, x, a1, h1, a2, y):",
            "def backward_pass(model, x, y):\n    a1, h1, a2, _ = forward_pass(model, x, y)",
        )
        .edit(
            "    backward_pass(model, x, a1, h1, a2, y)\n    epsilon",
            "    backward_pass(model, x, a1, h1, a2, y)  # ?\n    epsilon",
        )
        .edit("    backward_pass(model, toy.X, a1, h1, a2, toy.Y)", "    backward_pass(model, toy.X, toy.Y)")
    )


def constructor_without_arguments() -> TextNotebook:
    return official().edit(
        "def __init__(self, input_D, output_D):", "def __init__(self, input_D=784, output_D=128, *, scale):"
    )


def function_overwritten_by_its_result() -> TextNotebook:
    return official().append("sgd_with_momentum = sgd_with_momentum(model, velocity, 0.1, 0.5)")


def stripped_metadata() -> dict[str, Any]:
    tree = official().tree()
    tree["metadata"], tree["nbformat_minor"] = {}, 0
    tree["cells"] = [{"cell_type": cell["cell_type"], "source": cell["source"]} for cell in tree["cells"]]
    return tree


def cells_deleted() -> TextNotebook:
    work = official().drop("def forward_pass").drop("toy = DataSplit")
    return TextNotebook(tuple(cell for cell in work.cells if cell.kind == "code"), work.metadata)


def cells_duplicated() -> dict[str, Any]:
    tree = official().edit("(X > 0)", "(X < 0)").tree()
    corrected = official().tree()["cells"][5]
    tree["cells"][6:6] = [copy.deepcopy(tree["cells"][5]), corrected]
    for cell in tree["cells"][5:8]:
        cell["id"] = "aaaaaaaa"
    return tree


def cells_reordered() -> TextNotebook:
    work = official()
    return TextNotebook((work.cells[0], work.cells[1], *reversed(work.cells[2:])), work.metadata)


def unknown_kernel() -> TextNotebook:
    work = official()
    kernel = {
        "display_name": "Python [conda env:csci567]",
        "language": "python",
        "name": "conda-env-csci567-py",
    }
    return TextNotebook(work.cells, {**work.metadata, "kernelspec": kernel})


def nbformat_3() -> dict[str, Any]:
    cells: list[dict[str, Any]] = []
    for cell in official().cells:
        if cell.kind == "markdown":
            cells.append({"cell_type": "markdown", "metadata": {}, "source": lines(cell.source)})
            continue
        printed = (
            [{"output_type": "stream", "stream": "stdout", "text": lines(cell.printed)}]
            if cell.printed
            else []
        )
        cells.append(
            {
                "cell_type": "code",
                "collapsed": False,
                "input": lines(cell.source),
                "language": "python",
                "metadata": {},
                "outputs": printed,
                "prompt_number": 1,
            }
        )
    return {
        "metadata": {"name": "hw3"},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": cells, "metadata": {}}],
    }


def cells_of_wrong_types() -> dict[str, Any]:
    tree = official().tree()
    tree["cells"] += [
        None,
        7,
        {"cell_type": "code"},
        {"cell_type": "quiz", "source": "1"},
        {"cell_type": "code", "source": {"a": 1}},
    ]
    return tree


def not_json() -> bytes:
    return b"<!DOCTYPE html>\n<html><head><title>Sign in - Google Accounts</title></head><body>Sign in</body></html>\n"


def half_saved() -> bytes:
    return official().as_bytes()[:4000]


def json_but_no_notebook() -> bytes:
    return as_json({"name": "hw3", "metadata": JUPYTER})


def empty_file() -> bytes:
    return b""


def no_cells() -> TextNotebook:
    return TextNotebook((), JUPYTER)


def broken_encoding() -> bytes:
    return official().edit("# HW3: neural networks", "# HW3: r\u00e9seaux").as_bytes().replace(
        "é".encode(), b"\xe9"
    )
