"""One submission to one grade: open it, run its cells, check them, score the items."""
