"""Runs in otter's environment: grade notebooks one after the other in this process, and write the scores.

usage: otter_class.py AUTOGRADER.zip SCORES.json NOTEBOOK...
"""

import json
import sys
from pathlib import Path

from otter.api import grade_submission  # type: ignore[import-not-found]  # not in ours


def points_of(notebook: str, autograder: str) -> dict[str, float]:
    """The points of each test case; none where otter gives up on the notebook."""
    try:
        results = grade_submission(notebook, autograder, quiet=True)
    except Exception as error:  # noqa: BLE001  # whatever it is, the next notebook has its turn
        print(f"{notebook}: {type(error).__name__}: {error}", file=sys.stderr)
        return {}
    found = {}
    for file in results.results.values():
        for result in file.test_case_results:
            case = result.test_case
            found[case.name] = float(case.points if result.passed else 0)
    return found


if __name__ == "__main__":
    zipped, scores, *notebooks = sys.argv[1:]
    every = {Path(path).parent.name: points_of(path, zipped) for path in notebooks}
    Path(scores).write_text(json.dumps(every))
