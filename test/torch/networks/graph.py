"""A graph network: messages along edges, gathered by index and scattered by mean and maximum, then attention over each node's edges.

The layers are GraphSAGE's (Hamilton et al., 2017) and GAT's (Velickovic et al., 2018), in plain PyTorch.
"""

import torch
from torch import nn


class Sage(nn.Module):
    """Two linear maps of a node and of what its neighbours send: mean and maximum."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.send, self.own, self.mix = nn.Linear(c_in, c_out), nn.Linear(c_in, c_out), nn.Linear(2 * c_out, c_out)

    def forward(self, x, source, target):
        messages = self.send(x)[source]
        nodes, where = x.shape[0], target[:, None].expand_as(messages)
        blank = messages.new_zeros(nodes, messages.shape[1])
        degree = torch.bincount(target, minlength=nodes)
        mean = blank.index_add(0, target, messages) / degree.clamp(min=1)[:, None]
        most = blank.scatter_reduce(0, where, messages, "amax", include_self=False)
        return torch.tanh(self.own(x) + self.mix(torch.cat([mean, most], 1)))


class Attention(nn.Module):
    """A softmax over the edges that end in a node weighs what they bring."""

    def __init__(self, c_in, c_out, heads=2):
        super().__init__()
        self.map = nn.Linear(c_in, heads * c_out, bias=False)
        self.score = nn.Parameter(torch.randn(2, heads, c_out) * 0.3)
        self.heads = heads

    def forward(self, x, source, target):
        h = self.map(x).unflatten(1, (self.heads, -1))
        score = (h * self.score[0]).sum(-1)[source] + (h * self.score[1]).sum(-1)[target]
        score = nn.functional.leaky_relu(score, 0.2)
        where = target[:, None].expand_as(score)
        most = score.new_full((x.shape[0], self.heads), -torch.inf).scatter_reduce(0, where, score.detach(), "amax")
        weight = (score - most.gather(0, where)).exp()
        total = torch.zeros_like(most).scatter_add(0, where, weight)
        weight = weight / total.index_select(0, target)
        out = h.new_zeros(h.shape).index_add(0, target, h[source] * weight[..., None])
        return out.flatten(1)


class GraphNetwork(nn.Module):
    """Classifies nodes; forward(features, edges, classes, mask of the nodes that count) is the loss."""

    def __init__(self, features=16, width=32, classes=5):
        super().__init__()
        self.sage, self.attention = Sage(features, width), Attention(width, width)
        self.norm, self.head = nn.LayerNorm(2 * width), nn.Linear(2 * width, classes)

    def forward(self, x, edges, classes, counted):
        source, target = edges
        x = self.sage(x, source, target)
        x = self.norm(nn.functional.elu(self.attention(x, source, target)))
        return nn.functional.cross_entropy(self.head(x)[counted], classes[counted])
