"""Make the submissions in ``examples/`` anew: ``python -m tests.support.examples.make``.

Each public function of the modules named below makes one example: ``examples/GROUP/NAME``, after the module and the
function. What the example must get stands in its ``expected.toml``, which is written by hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..paths import EXAMPLES
from . import broken, evidence, habits, hostile, scripts, styles, traps, values
from .text import TextNotebook, as_json

MODULES = (broken, habits, hostile, scripts, styles, traps, values)

RECIPES: Mapping[str, Callable[[Path], object]] = {
    "fifty_megabytes_of_outputs": lambda path: path.write_bytes(habits.outputs_of_50_megabytes()),
    "a_folder": lambda path: path.mkdir(),
    **evidence.WRONG,
    "a_link": lambda path: path.symlink_to(EXAMPLES / "styles" / "official_solution" / "hw3.ipynb"),
}
"""What is made when it is graded: too large to keep, or not a file."""


@dataclass(frozen=True)
class MadeExample:
    """One example's file."""

    group: str
    name: str
    file: str
    data: bytes

    def path(self, examples: Path) -> Path:
        """Where it lies."""
        return examples / self.group / self.name / self.file


def made_examples() -> list[MadeExample]:
    """All examples that are kept as files, by name."""
    found = [
        made(module.__name__.rpartition(".")[2], name, maker)
        for module in MODULES
        for name, maker in vars(module).items()
        if inspect.isfunction(maker) and maker.__module__ == module.__name__ and not name.startswith("_")
        if "return" in maker.__annotations__ and not maker.__name__.startswith("outputs_of")
    ]
    return sorted(found, key=lambda example: example.name)


def made(
    group: str, name: str, maker: Callable[[], TextNotebook | str | bytes | dict[str, object]]
) -> MadeExample:
    """One example: a notebook or its JSON tree, a script's text, or bytes for hw3.ipynb."""
    work = maker()
    if isinstance(work, str):
        return MadeExample(group, name, "neural_networks.py", work.encode())
    if isinstance(work, bytes):
        return MadeExample(group, name, "hw3.ipynb", work)
    return MadeExample(group, name, "hw3.ipynb", work.as_bytes() if isinstance(work, TextNotebook) else as_json(work))


def main() -> None:
    """Write all of them."""
    for example in made_examples():
        path = example.path(EXAMPLES)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(example.data)


if __name__ == "__main__":
    main()
