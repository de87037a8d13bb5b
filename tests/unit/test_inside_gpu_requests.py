"""Code that only uses a GPU where there is one is not slowed down; whatever may ask for one is seen."""

from __future__ import annotations

import pytest

from grader.inside.gpu_requests import Requests

HARMLESS = [
    "x = 1",
    'DEVICE = "cuda" if torch.cuda.is_available() else "cpu"',
    'device = torch.device("cuda:0" if th.cuda.is_available() else "cpu")',
    'device = "cpu"\nif torch.cuda.is_available():\n    device = "cuda"\n    model.cuda()',
    'if not torch.cuda.is_available():\n    device = "cpu"\nelse:\n    device = "cuda"',
    'device = "cpu" if not torch.cuda.is_available() else "cuda"',
    'has_gpu = torch.cuda.is_available()\ndevice = "cuda" if has_gpu else "cpu"',
    'if WANTED and torch.cuda.is_available():\n    model = model.to("cuda")',
    'if device.type == "cuda":\n    torch.cuda.synchronize()',
    "torch.cuda.manual_seed_all(0)\ntorch.backends.cuda.matmul.allow_tf32 = False",
    "print('runs with cuda or without')",
]
ASKING = [
    'DEVICE = "cuda"',
    'x = x.to("cuda:1")',
    "x = x.cuda()",
    "move = torch.Tensor.cuda",
    'if torch.cuda.is_available() or True:\n    device = "cuda"',
    'device = "cpu" if torch.cuda.is_available() else "cuda"',
    'if not torch.cuda.is_available():\n    device = "cuda"',
    'USE_GPU = True\ndevice = "cuda" if USE_GPU else "cpu"',
    'has_gpu = torch.cuda.is_available()\nhas_gpu = True\nif has_gpu:\n    device = "cuda"',
    'getattr(x, "cuda")()',
    "from torch import cuda",
    'has_gpu = torch.cuda.is_available()\ndef f(has_gpu=True): return "cuda" if has_gpu else "cpu"',
    'parser.add_argument("--device", default="cuda")',
    'if device == "cuda": x = x.to("cuda")',
    'x = x.to(f"cuda:{number}")',
    "%time x = x.cuda()",
    "x.cuda(" + "(" * 300,
]


@pytest.mark.parametrize("source", HARMLESS)
def test_code_that_asks_only_where_there_is_a_gpu(source: str) -> None:
    assert not Requests().are_in(source)


@pytest.mark.parametrize("source", ASKING)
def test_code_that_may_ask_where_there_is_none(source: str) -> None:
    assert Requests().are_in(source)


def test_a_name_of_an_earlier_cell_tells_until_it_is_bound_again() -> None:
    requests = Requests()
    assert not requests.are_in("has_gpu = torch.cuda.is_available()")
    assert not requests.are_in('device = "cuda" if has_gpu else "cpu"')
    assert not requests.are_in("has_gpu = True; 'nothing named'")
    assert requests.are_in('device = "cuda" if has_gpu else "cpu"')


def test_deep_code_is_in_doubt_and_breaks_nothing() -> None:
    assert Requests().are_in("x = " + "-" * 3000 + "1 # cuda")
    assert Requests().are_in("x" + ".cuda" + ".y" * 5000)
