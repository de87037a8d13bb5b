"""Damage done to good inputs by a seeded generator: bytes anywhere, and values anywhere in a JSON tree."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from random import Random
from typing import Any

from grader.inside.codec import HEADER

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "\x1b[2J\x1b]0;x\x07",
    "\u202eabc\u2066",
    "\ud800",
    "\0",
    "$$\\frac{",
    "#### Answer 3.2.3.i\n",
    "### 3.3.i Curves\n",
    "<!--",
    "-->",
    "```\n",
    "data:image/png;base64,AAAA",
    "EPOCHS = 3",
    "widths, EPOCHS = x = 1, 2; name += 'a'",
    "%%time\n!ls \\\n",
    "'''",
    "| a |\n|---|\n" * 5,
    "*" * 200,
    "[" * 100,
    ">" * 100,
)
VALUES: tuple[Any, ...] = (
    *HOSTILE, None, True, 0, -1, 2**53, 2**70, 1e308, -0.0, "", [], {}, [[]], {"": ""}, [None], {"$": "ref"},
    "code", "markdown", "heading", "image/png", "<f8", [2**40], [-1], ["a\n", "b"],
)  # fmt: skip
TOKENS = (
    b"\xff", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b"\\", b"\\ud800", b"{", b"}", b"[", b"]", b",", b":",
    b"1e999", b"NaN", b"Infinity", b"null", b"true", b'"$"', b'{"$":"ref","id":0,"type":"x"}', b'"of"',
    b'{"$":"int","hex":"-0x1"}', b'{"$":"array","dtype":"<f8","shape":[0]}', b"\n", b"\r", b"99999999999999",
    b"# %%\n", b"def f(:", b"'''", *(text.encode("utf-8", "surrogatepass") for text in HOSTILE),
)  # fmt: skip
STEPS = (1, 1, 1, 2, 4)


def damaged(data: bytes, random: Random, others: Sequence[bytes] = ()) -> bytes:
    """The bytes after one to four small accidents."""
    found = bytearray(data)
    for _ in range(random.choice(STEPS)):
        at = random.randrange(len(found) + 1)
        end = min(len(found), at + random.choice((0, 1, 1, 2, 4, 16, 200)))
        found[at:end] = _replacement(bytes(found[at:end]), random, others)
    return bytes(found)


def _replacement(cut: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """What comes in the place of a cut."""
    choices = [
        b"",
        random.randbytes(len(cut) or 1),
        random.choice(TOKENS),
        cut * random.choice((2, 3, 50)),
        bytes(byte ^ (1 << random.randrange(8)) for byte in cut),
        cut[::-1],
    ]
    if others:
        other = random.choice(others)
        start = random.randrange(len(other) + 1)
        choices.append(other[start : start + random.choice((8, 64, 1000))])
    return random.choice(choices)


def rewritten(data: bytes, random: Random) -> bytes:
    """A JSON text with one to four values replaced, removed or doubled; other bytes come back unchanged."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(random.choice(STEPS)):
        _rewrite(tree, random)
    return json.dumps(tree).encode()


def reframed(data: bytes, random: Random) -> bytes:
    """A frame whose text was rewritten, with a header that is true again."""
    length, size, request, kind = HEADER.unpack(data[: HEADER.size])
    text = rewritten(data[HEADER.size :][:length], random)
    return HEADER.pack(len(text), size, request, kind) + text + data[HEADER.size + length :]


def _rewrite(tree: Any, random: Random) -> None:
    """Walk down at random, then change one entry."""
    while isinstance(tree, dict | list) and tree:
        key = random.choice(list(tree)) if isinstance(tree, dict) else random.randrange(len(tree))
        child = tree[key]
        if isinstance(child, dict | list) and child and random.random() < 0.8:
            tree = child
            continue
        if random.random() < 0.2:
            del tree[key]
        elif isinstance(child, str) and random.random() < 0.5:
            tree[key] = damaged_text(child, random)
        else:
            tree[key] = random.choice((*copy.deepcopy(VALUES), [child, child], {"x": child}))
        return


def damaged_text(text: str, random: Random) -> str:
    """The text with something hostile put into it."""
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(HOSTILE) + text[at:] * random.choice((0, 1, 2))
