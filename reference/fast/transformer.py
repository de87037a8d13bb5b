"""The transformer of part 4: the notebook's weights, batches and losses with fewer and larger operations.

What is drawn is drawn as in the notebook: each head's key, query and value in turn, then the rest; 16 numbers
for every mini-batch. What is calculated is the same up to the last bits, and after thousands of steps those
have become differences of about a thousandth in the loss.

- One product gives the queries, keys and values of all heads, and attention is torch's fused kernel.
- The batches of all steps up to the next evaluation are cut out of the text at once.
- An evaluation takes its 200 batches in a few big ones. AdamW is one fused kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference.fast.settings import TransformerRun
from reference.utils import load_text

EVALUATED_TOKENS = {"cpu": 2048, "cuda": 1 << 17}
"""Characters in one piece of an evaluation: what fits the caches of a core, what fills a GPU."""


class _Block(nn.Module):
    """Attention of all heads at once, then a small network; each is added to what came in."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads, self.size = n_heads, width // n_heads
        heads = [
            {name: nn.Linear(width, self.size, bias=False).weight for name in ("key", "query", "value")}
            for _ in range(n_heads)
        ]
        rows = [head[name] for name in ("query", "key", "value") for head in heads]
        self.attend = nn.Parameter(torch.cat(rows).detach())
        self.mix = nn.Linear(width, width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, time: int) -> Tensor:
        """x (batch * time, width) -> the same shape."""
        split = functional.linear(self.norm1(x), self.attend).view(-1, time, 3, self.n_heads, self.size)
        query, key, value = (part.transpose(1, 2) for part in split.unbind(2))
        # The course divides by the root of the width, not of the head's size.
        scale = x.shape[1] ** -0.5
        heads = functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale)
        x = x + self.mix(heads.transpose(1, 2).reshape(x.shape))
        # In place, which is only cheap where a product's result is no view of another: so x has two axes.
        hidden: Tensor = self.widen(self.norm2(x)).relu_()
        total: Tensor = x + self.narrow(hidden)
        return total


class Transformer(nn.Module):
    """Scores for the next character after each position."""

    def __init__(self, n_characters: int, run: TransformerRun) -> None:
        super().__init__()
        self.block_size = run.block_size
        self.character = nn.Embedding(n_characters, run.width)
        self.position = nn.Embedding(run.block_size, run.width)
        self.blocks = nn.ModuleList(_Block(run.width, run.n_heads) for _ in range(run.layers))
        self.norm = nn.LayerNorm(run.width)
        self.score = nn.Linear(run.width, n_characters)

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, time) of character numbers -> scores (batch * time, characters)."""
        time = x.shape[1]
        known = (self.character(x) + self.position.weight[:time]).flatten(0, 1)
        for block in self.blocks:
            known = block(known, time)
        scores: Tensor = self.score(self.norm(known))
        return scores


class Corpus:
    """A text as numbers: the first nine tenths for training, the rest for validation."""

    def __init__(self, text: str, device: str) -> None:
        self.alphabet = sorted(set(text))
        number_of = {character: number for number, character in enumerate(self.alphabet)}
        encoded = torch.tensor([number_of[character] for character in text], device=device)
        split_at = int(0.9 * len(encoded))
        self.parts = {"train": encoded[:split_at], "validation": encoded[split_at:]}

    def draw(self, part: str, count: int, block_size: int) -> Tensor:
        """``count`` pieces of block_size + 1 characters, as count / 16 calls that draw 16 places would."""
        places = torch.randint(len(self.parts[part]) - block_size, (count,))
        pieces: Tensor = self.parts[part].unfold(0, block_size + 1, 1)[places.to(self.parts[part].device)]
        return pieces


def loss_of(model: nn.Module, pieces: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy of each piece's characters (batch, time + 1) from those before them."""
    return functional.cross_entropy(model(pieces[:, :-1]), pieces[:, 1:].flatten(), reduction=reduction)


@torch.inference_mode()
def average_loss(model: Transformer, pieces: Tensor) -> float:
    """The mean loss of the pieces."""
    rows = max(1, EVALUATED_TOKENS[pieces.device.type] // model.block_size)
    total = sum(float(loss_of(model, some, "sum")) for some in torch.split(pieces, rows))
    return total / (len(pieces) * model.block_size)


@torch.inference_mode()
def generate(model: Transformer, alphabet: list[str], count: int, seed: int = 0) -> str:
    """Text that the model writes; its draws have a generator of their own, as in the notebook."""
    generator = torch.Generator().manual_seed(seed)
    device = model.position.weight.device
    numbers = [0]
    for _ in range(count):
        context = torch.tensor([numbers[-model.block_size :]], device=device)
        chances = model(context)[-1].softmax(dim=-1).cpu()
        numbers.append(int(torch.multinomial(chances, 1, generator=generator)))
    return "".join(alphabet[number] for number in numbers[1:])


class Training:
    """A model with its optimizer and text: evaluations and stretches of steps, in the notebook's order."""

    def __init__(self, run: TransformerRun, text: str, device: str) -> None:
        self.run = run
        self.corpus = Corpus(text, device)
        torch.manual_seed(run.seed)
        self.model = Transformer(len(self.corpus.alphabet), run).to(device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=run.rate, fused=True)

    def evaluate(self) -> dict[str, float]:
        """The average loss on both parts of the text, over newly drawn pieces."""
        count = self.run.eval_batches * self.run.batch_size
        return {
            part: average_loss(self.model, self.corpus.draw(part, count, self.run.block_size))
            for part in self.corpus.parts
        }

    def steps(self, count: int) -> None:
        """That many steps of AdamW, without waiting for a result."""
        pieces = self.corpus.draw("train", count * self.run.batch_size, self.run.block_size)
        for batch in torch.split(pieces, self.run.batch_size):
            self.optimizer.zero_grad()
            torch.autograd.backward(loss_of(self.model, batch))
            self.optimizer.step()

    def write(self) -> str:
        """Text from the model as it is."""
        return generate(self.model, self.corpus.alphabet, self.run.generated)


def stretches(run: TransformerRun) -> Iterator[tuple[int, int]]:
    """Where the notebook evaluates, every so many steps and before the last, and the steps from there on."""
    places = sorted({*range(0, run.steps, run.eval_every), run.steps - 1})
    return zip(places, [b - a for a, b in zip(places, [*places[1:], run.steps], strict=True)], strict=True)


def train(
    run: TransformerRun, data: str | Path, report: Callable[[int, int], None], *, device: str = "cpu"
) -> dict[str, Any]:
    """The notebook's record of this run; ``report`` hears steps done and steps in all.

    Seeds torch's global generator. One thread: other runs have the other cores.
    """
    torch.set_num_threads(1)
    training = Training(run, load_text(data), device)
    history: dict[str, Any] = {"steps": [], "train": [], "validation": [], "before": training.write()}
    for step, count in stretches(run):
        history["steps"].append(step)
        for part, loss in training.evaluate().items():
            history[part].append(loss)
        training.steps(count)
        report(step + count, run.steps)
    history["after"] = training.write()
    history["parameters"] = sum(parameter.numel() for parameter in training.model.parameters())
    return history
