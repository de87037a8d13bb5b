"""The transformer's training as the lecture has it: the plain side of a comparison.

Each head has its own three products and its own softmax; batches are stacked from single pieces; an
evaluation takes one small batch after another. Dropout, which is 0 in the homework, is left out. The
parameters are drawn in the same order as by `reference.fast.transformer`, so both begin with the same model.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference.fast.settings import TransformerRun


class Head(nn.Module):
    """One head of causal self-attention; the course scales by the whole width."""

    def __init__(self, run: TransformerRun) -> None:
        super().__init__()
        size = run.width // run.n_heads
        self.key = nn.Linear(run.width, size, bias=False)
        self.query = nn.Linear(run.width, size, bias=False)
        self.value = nn.Linear(run.width, size, bias=False)
        self.tril: Tensor
        self.register_buffer("tril", torch.tril(torch.ones(run.block_size, run.block_size)))

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, time, width) -> (batch, time, head size)."""
        _, time, width = x.shape
        weights = self.query(x) @ self.key(x).transpose(-2, -1) * width**-0.5
        weights = weights.masked_fill(self.tril[:time, :time] == 0, float("-inf"))
        attended: Tensor = functional.softmax(weights, dim=-1) @ self.value(x)
        return attended


class Block(nn.Module):
    """Attention, then a small network, each added to its input."""

    def __init__(self, run: TransformerRun) -> None:
        super().__init__()
        width = run.width
        self.heads = nn.ModuleList(Head(run) for _ in range(run.n_heads))
        self.mix = nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """x (batch, time, width) -> the same shape."""
        attended = self.norm1(x)
        x = x + self.mix(torch.cat([head(attended) for head in self.heads], dim=-1))
        total: Tensor = x + self.think(self.norm2(x))
        return total


class Model(nn.Module):
    """Scores (batch, time, characters) and, with targets, their mean cross-entropy."""

    def __init__(self, n_characters: int, run: TransformerRun) -> None:
        super().__init__()
        self.character = nn.Embedding(n_characters, run.width)
        self.position = nn.Embedding(run.block_size, run.width)
        self.blocks = nn.Sequential(*[Block(run) for _ in range(run.layers)])
        self.norm = nn.LayerNorm(run.width)
        self.score = nn.Linear(run.width, n_characters)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """x and y (batch, time) of character numbers."""
        batch, time = x.shape
        known = self.character(x) + self.position(torch.arange(time))
        scores = self.score(self.norm(self.blocks(known)))
        return scores, functional.cross_entropy(scores.view(batch * time, -1), y.view(batch * time))


class Training:
    """Model, optimizer and text of one run, from its seed."""

    def __init__(self, run: TransformerRun, text: str) -> None:
        alphabet = sorted(set(text))
        number_of = {character: number for number, character in enumerate(alphabet)}
        encoded = torch.tensor([number_of[character] for character in text])
        split_at = int(0.9 * len(encoded))
        self.run = run
        self.parts = {"train": encoded[:split_at], "validation": encoded[split_at:]}
        torch.manual_seed(run.seed)
        self.model = Model(len(alphabet), run)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=run.rate)

    def batch(self, part: str) -> tuple[Tensor, Tensor]:
        """Random pieces, and the same one character later."""
        data, size = self.parts[part], self.run.block_size
        places = torch.randint(len(data) - size, (self.run.batch_size,))
        x = torch.stack([data[place : place + size] for place in places])
        y = torch.stack([data[place + 1 : place + size + 1] for place in places])
        return x, y

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The average loss on both parts."""
        self.model.eval()
        averages = {}
        for part in self.parts:
            losses = torch.zeros(self.run.eval_batches)
            for number in range(self.run.eval_batches):
                _, loss = self.model(*self.batch(part))
                losses[number] = loss.item()
            averages[part] = float(losses.mean())
        self.model.train()
        return averages

    def steps(self, count: int) -> None:
        """That many steps of AdamW."""
        for _ in range(count):
            _, loss = self.model(*self.batch("train"))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
