"""A one-stage detector in the manner of YOLOv5: cross-stage partial blocks, a neck that goes up and down again, anchors at two scales.

forward(images, boxes) is the loss; a row of boxes is (image, class, x, y, width, height), the last four as fractions of the image.
"""

import math

import torch
from torch import nn
from torch.nn import functional
from vision import conv_bn


class CSP(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        half = c_out // 2
        self.a, self.b = conv_bn(c_in, half, 1, act=nn.SiLU), conv_bn(c_in, half, 1, act=nn.SiLU)
        self.body = nn.Sequential(conv_bn(half, half, 1, act=nn.SiLU), conv_bn(half, half, 3, act=nn.SiLU))
        self.out = conv_bn(c_out, c_out, 1, act=nn.SiLU)

    def forward(self, x):
        a = self.a(x)
        return self.out(torch.cat([a + self.body(a), self.b(x)], 1))


class PyramidPool(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.enter, self.leave = conv_bn(c, c // 2, 1, act=nn.SiLU), conv_bn(2 * c, c, 1, act=nn.SiLU)

    def forward(self, x):
        x = self.enter(x)
        y = functional.max_pool2d(x, 5, 1, 2)
        z = functional.max_pool2d(y, 5, 1, 2)
        return self.leave(torch.cat([x, y, z, functional.max_pool2d(z, 5, 1, 2)], 1))


def complete_iou(p, t):
    """Intersection over union, less the distance of the centres and the difference in shape (Zheng et al., 2020); boxes are (x, y, w, h)."""
    p1, p2, t1, t2 = p[:, :2] - p[:, 2:] / 2, p[:, :2] + p[:, 2:] / 2, t[:, :2] - t[:, 2:] / 2, t[:, :2] + t[:, 2:] / 2
    inner = (torch.minimum(p2, t2) - torch.maximum(p1, t1)).clamp(min=0).prod(1)
    iou = inner / (p[:, 2:].prod(1) + t[:, 2:].prod(1) - inner + 1e-7)
    hull = (torch.maximum(p2, t2) - torch.minimum(p1, t1)).square().sum(1) + 1e-7
    apart = (p[:, :2] - t[:, :2]).square().sum(1) / hull
    shape = 4 / math.pi**2 * (torch.atan(t[:, 2] / t[:, 3]) - torch.atan(p[:, 2] / (p[:, 3] + 1e-7))).square()
    with torch.no_grad():
        weight = shape / (shape - iou + 1 + 1e-7)
    return iou - apart - weight * shape


class Detector(nn.Module):
    def __init__(self, classes=4, width=8):
        super().__init__()
        w, self.classes = width, classes
        self.stem = nn.Sequential(
            *(conv_bn(3, w, 3, 2, act=nn.SiLU), conv_bn(w, 2 * w, 3, 2, act=nn.SiLU), CSP(2 * w, 2 * w)),
            *(conv_bn(2 * w, 4 * w, 3, 2, act=nn.SiLU), CSP(4 * w, 4 * w)),
        )
        self.deep = nn.Sequential(conv_bn(4 * w, 8 * w, 3, 2, act=nn.SiLU), CSP(8 * w, 8 * w), PyramidPool(8 * w))
        self.narrow = conv_bn(8 * w, 4 * w, 1, act=nn.SiLU)
        self.fine, self.down, self.coarse = CSP(8 * w, 4 * w), conv_bn(4 * w, 4 * w, 3, 2, act=nn.SiLU), CSP(8 * w, 8 * w)
        self.register_buffer("anchors", torch.tensor([[[1.0, 1.2], [2.2, 1.6], [1.8, 3.0]], [[1.2, 1.6], [2.4, 2.0], [3.0, 3.4]]]))
        self.heads = nn.ModuleList(nn.Conv2d(c, 3 * (5 + classes), 1) for c in (4 * w, 8 * w))

    def forward(self, images, boxes):
        fine = self.stem(images)
        deep = self.narrow(self.deep(fine))
        fine = self.fine(torch.cat([functional.interpolate(deep, scale_factor=2, mode="nearest"), fine], 1))
        coarse = self.coarse(torch.cat([self.down(fine), deep], 1))
        loss = 0
        for x, head, anchors in zip((fine, coarse), self.heads, self.anchors, strict=True):
            out = head(x).unflatten(1, (3, 5 + self.classes)).permute(0, 1, 3, 4, 2)
            loss = loss + self.judge(out, boxes, anchors)
        return loss

    def judge(self, out, boxes, anchors):
        """Each box is the duty of the cell that holds its centre, at the anchors whose sides differ by less than a factor of 4."""
        rows, columns = out.shape[2:4]
        size = boxes.new_tensor([columns, rows])
        centre, extent = boxes[:, 2:4] * size, boxes[:, 4:6] * size
        ratio = extent[:, None] / anchors
        which, anchor = (torch.maximum(ratio, 1 / ratio).amax(2) < 4).nonzero(as_tuple=True)
        image, kind = boxes[which, 0].long(), boxes[which, 1].long()
        cell = centre[which].floor()
        column, row = cell.long().unbind(1)
        found = out[image, anchor, row, column]
        wanted = torch.cat([centre[which] - cell, extent[which]], 1)
        box = torch.cat([found[:, :2].sigmoid() * 2 - 0.5, (found[:, 2:4].sigmoid() * 2).square() * anchors[anchor]], 1)
        iou = complete_iou(box, wanted)
        present = torch.zeros_like(out[..., 4])
        present[image, anchor, row, column] = iou.detach().clamp(min=0).to(present.dtype)
        classes = functional.binary_cross_entropy_with_logits(found[:, 5:], functional.one_hot(kind, self.classes).to(found.dtype))
        presence = functional.binary_cross_entropy_with_logits(out[..., 4], present)
        return 0.05 * (1 - iou).mean() + presence + 0.5 * classes
