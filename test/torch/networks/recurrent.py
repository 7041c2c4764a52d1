"""Language models of recurrent cells: embedding, two layers, the output tied to the embedding (Merity et al., 2018). forward(tokens) is the loss."""

from torch import nn


class Recurrent(nn.Module):
    def __init__(self, cell, vocabulary=64, width=32):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.cells = cell(width, width, num_layers=2, batch_first=True, dropout=0)
        self.head = nn.Linear(width, vocabulary)
        self.head.weight = self.embed.weight
        nn.init.uniform_(self.embed.weight, -0.1, 0.1)

    def forward(self, tokens):
        out, _ = self.cells(self.embed(tokens[:, :-1]))
        return nn.functional.cross_entropy(self.head(out).flatten(0, 1), tokens[:, 1:].flatten())
