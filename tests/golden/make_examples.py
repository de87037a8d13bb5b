"""Make the submissions in ``examples/`` anew: ``python tests/golden/make_examples.py``.

Each public function of the modules named below makes one example, whose folder has the function's name. What
the example must get stands in its ``expected.toml``, which is written by hand.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import examples_broken
import examples_evidence
import examples_habits
import examples_hostile
import examples_scripts
import examples_styles
import examples_traps
import examples_values
from notebook_text import TextNotebook, as_json

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MODULES = (
    examples_broken,
    examples_habits,
    examples_hostile,
    examples_scripts,
    examples_styles,
    examples_traps,
    examples_values,
)

RECIPES: Mapping[str, Callable[[Path], object]] = {
    "fifty_megabytes_of_outputs": lambda path: path.write_bytes(examples_habits.outputs_of_50_megabytes()),
    "a_folder": lambda path: path.mkdir(),
    **examples_evidence.WRONG,
    "a_link": lambda path: path.symlink_to(EXAMPLES / "official_solution" / "hw3.ipynb"),
}
"""What is made when it is graded: too large to keep, or not a file."""


@dataclass(frozen=True)
class MadeExample:
    """One example's file."""

    name: str
    file: str
    data: bytes

    def path(self, examples: Path) -> Path:
        """Where it lies."""
        return examples / self.name / self.file


def made_examples() -> list[MadeExample]:
    """All examples that are kept as files, by name."""
    found = [
        made(name, maker)
        for module in MODULES
        for name, maker in vars(module).items()
        if inspect.isfunction(maker) and maker.__module__ == module.__name__ and not name.startswith("_")
        if "return" in maker.__annotations__ and not maker.__name__.startswith("outputs_of")
    ]
    return sorted(found, key=lambda example: example.name)


def made(name: str, maker: Callable[[], TextNotebook | str | bytes | dict[str, object]]) -> MadeExample:
    """One example: a notebook or its JSON tree, a script's text, or bytes for hw3.ipynb."""
    work = maker()
    if isinstance(work, str):
        return MadeExample(name, "neural_networks.py", work.encode())
    if isinstance(work, bytes):
        return MadeExample(name, "hw3.ipynb", work)
    return MadeExample(name, "hw3.ipynb", as_json(work.tree() if isinstance(work, TextNotebook) else work))


def main() -> None:
    """Write all of them."""
    for example in made_examples():
        path = example.path(EXAMPLES)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(example.data)


if __name__ == "__main__":
    main()
