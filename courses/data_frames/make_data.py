"""Makes reference/loans.csv and reference/books.csv. Run it from the course's folder."""

from pathlib import Path

import numpy as np

rng = np.random.default_rng(77)
TITLES = ["Atlas", "Birds", "Chess", "Dunes", "Engines", "Fungi", "Glaciers", "Harbours"]
books = [f"{100 + k},{title},{1990 + int(rng.integers(30))}" for k, title in enumerate(TITLES)]
loans = []
for number in range(120):
    lent = np.datetime64("2025-01-06") + int(rng.integers(300))
    back = lent + int(rng.integers(1, 60)) if rng.random() < 0.85 else ""
    branch = rng.choice(["North", " north", "SOUTH", "South ", "Harbour", "harbour"])
    member = rng.choice(["m1", "m2", "m3", "m4", "m5"])
    loans.append(f"{number},{member},{100 + int(rng.integers(9))},{branch},{lent},{back}")
    if rng.random() < 0.08:
        loans.append(loans[-1])
for name, head, lines in (
    ("loans", "loan,member,book,branch,lent,returned", loans),
    ("books", "book,title,year", books),
):
    Path(f"reference/{name}.csv").write_bytes(("\n".join([head, *lines]) + "\n").encode())
