"""Image classifiers, written plainly after their papers; narrower, and with dropout and stochastic depth at 0.

`width` is the number of channels that the papers give as 64 (ResNet, VGG), or a factor of all channels (MobileNetV3, EfficientNet).
"""

import torch
from torch import nn


def conv_bn(c_in, c_out, kernel, stride=1, groups=1, act=nn.ReLU):
    """Convolution that keeps the size at stride 1, batch normalisation, activation (None: no activation)."""
    conv = nn.Conv2d(c_in, c_out, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    layers = [conv, nn.BatchNorm2d(c_out)]
    return nn.Sequential(*layers, *([act(inplace=True)] if act else []))


class Classifier(nn.Module):
    """A network and its cross entropy: forward(images, classes) is the loss."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, target):
        out = self.net(x)
        return nn.functional.cross_entropy(getattr(out, "logits", out), target)


# --- ResNet (He et al., 2016; the stride of a bottleneck is on its 3x3, as torchvision has it)


def soften(body):
    """Start a residual branch small: Goyal et al. (2017) at 0, here above it, so that all of the branch has a gradient.

    At 1 fifty layers that see four small images multiply rounding by thousands, in float32 on any device.
    """
    nn.init.constant_(body[-1][1].weight, 0.25)
    return body


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, c_in, planes, stride):
        super().__init__()
        self.body = soften(nn.Sequential(conv_bn(c_in, planes, 3, stride), conv_bn(planes, planes, 3, act=None)))
        self.shortcut = nn.Identity() if stride == 1 and c_in == planes else conv_bn(c_in, planes, 1, stride, act=None)

    def forward(self, x):
        return torch.relu_(self.body(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, c_in, planes, stride):
        super().__init__()
        c_out = planes * self.expansion
        layers = (conv_bn(c_in, planes, 1), conv_bn(planes, planes, 3, stride), conv_bn(planes, c_out, 1, act=None))
        self.body = soften(nn.Sequential(*layers))
        self.shortcut = nn.Identity() if stride == 1 and c_in == c_out else conv_bn(c_in, c_out, 1, stride, act=None)

    def forward(self, x):
        return torch.relu_(self.body(x) + self.shortcut(x))


def resnet(block, depths, width=16, classes=10):
    layers = [conv_bn(3, width, 7, 2), nn.MaxPool2d(3, 2, 1)]
    c_in = width
    for stage, depth in enumerate(depths):
        planes = width << stage
        for i in range(depth):
            layers.append(block(c_in, planes, 2 if stage and i == 0 else 1))
            c_in = planes * block.expansion
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes))


def resnet18(width=16):
    return resnet(BasicBlock, (2, 2, 2, 2), width)


def resnet50(width=16):
    return resnet(Bottleneck, (3, 4, 6, 3), width)


# --- VGG16, configuration D, without normalisation (Simonyan and Zisserman, 2015)


def vgg16(width=16, hidden=64, classes=10):
    layers, c_in = [], 3
    for depth, factor in ((2, 1), (2, 2), (3, 4), (3, 8), (3, 8)):
        for _ in range(depth):
            layers += [nn.Conv2d(c_in, width * factor, 3, padding=1), nn.ReLU(inplace=True)]
            c_in = width * factor
        layers.append(nn.MaxPool2d(2))
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(3), nn.Flatten())
    for linear in (nn.Linear(c_in * 9, hidden), nn.Linear(hidden, hidden)):
        net.extend([linear, nn.ReLU(inplace=True), nn.Dropout(0)])
    net.append(nn.Linear(hidden, classes))
    for m in net:
        if isinstance(m, nn.Conv2d):  # sixteen layers without normalisation: the signal fades with the default
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
    return net


# --- DenseNet-121 (Huang et al., 2017)


class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.body = nn.Sequential(
            *(nn.BatchNorm2d(c_in), nn.ReLU(inplace=True), nn.Conv2d(c_in, 4 * growth, 1, bias=False)),
            *(nn.BatchNorm2d(4 * growth), nn.ReLU(inplace=True), nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)),
        )

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def densenet121(growth=8, classes=10, depths=(6, 12, 24, 16)):
    c = 2 * growth
    layers = [conv_bn(3, c, 7, 2), nn.MaxPool2d(3, 2, 1)]
    for stage, depth in enumerate(depths):
        if stage:
            layers += [nn.BatchNorm2d(c), nn.ReLU(inplace=True), nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2)]
            c //= 2
        for _ in range(depth):
            layers.append(DenseLayer(c, growth))
            c += growth
    return nn.Sequential(*layers, nn.BatchNorm2d(c), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, classes))


# --- Inverted residuals with squeeze and excitation: MobileNetV3 (Howard et al., 2019), EfficientNet (Tan and Le, 2019)


def multiple_of_8(channels):
    return max(8, round(channels / 8) * 8)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, squeezed, act, gate):
        super().__init__()
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, squeezed, 1), act(inplace=True), nn.Conv2d(squeezed, channels, 1), gate()
        )

    def forward(self, x):
        return x * self.scale(x)


class InvertedResidual(nn.Module):
    def __init__(self, c_in, expanded, c_out, kernel, stride, act, excite=None):
        super().__init__()
        layers = [conv_bn(c_in, expanded, 1, act=act)] if expanded != c_in else []
        layers.append(conv_bn(expanded, expanded, kernel, stride, groups=expanded, act=act))
        if excite:
            layers.append(excite)
        self.body = nn.Sequential(*layers, conv_bn(expanded, c_out, 1, act=None))
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def mobilenet_v3_small(width=0.5, classes=10):
    rows = (  # kernel, expanded, out, squeeze-excite, hardswish, stride: table 2 of the paper
        *((3, 16, 16, True, False, 2), (3, 72, 24, False, False, 2), (3, 88, 24, False, False, 1), (5, 96, 40, True, True, 2)),
        *((5, 240, 40, True, True, 1), (5, 240, 40, True, True, 1), (5, 120, 48, True, True, 1), (5, 144, 48, True, True, 1)),
        *((5, 288, 96, True, True, 2), (5, 576, 96, True, True, 1), (5, 576, 96, True, True, 1)),
    )
    c = multiple_of_8(16 * width)
    layers = [conv_bn(3, c, 3, 2, act=nn.Hardswish)]
    for kernel, expanded, out, excited, swish, stride in rows:
        expanded, out = multiple_of_8(expanded * width), multiple_of_8(out * width)
        excite = SqueezeExcite(expanded, multiple_of_8(expanded / 4), nn.ReLU, nn.Hardsigmoid) if excited else None
        layers.append(InvertedResidual(c, expanded, out, kernel, stride, nn.Hardswish if swish else nn.ReLU, excite))
        c = out
    last, hidden = 6 * c, multiple_of_8(1024 * width)
    layers += [conv_bn(c, last, 1, act=nn.Hardswish), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(last, hidden), nn.Hardswish(inplace=True), nn.Dropout(0), nn.Linear(hidden, classes))


def efficientnet_b0(width=0.5, classes=10):
    rows = (  # expansion, kernel, stride, out, layers: table 1 of the paper
        *((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)),
        *((6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)),
    )
    c = multiple_of_8(32 * width)
    layers = [conv_bn(3, c, 3, 2, act=nn.SiLU)]
    for expansion, kernel, stride, out, depth in rows:
        out = multiple_of_8(out * width)
        for i in range(depth):
            expanded = c * expansion
            excite = SqueezeExcite(expanded, max(1, c // 4), nn.SiLU, nn.Sigmoid)
            layers.append(InvertedResidual(c, expanded, out, kernel, stride if i == 0 else 1, nn.SiLU, excite))
            c = out
    last = multiple_of_8(1280 * width)
    layers += [conv_bn(c, last, 1, act=nn.SiLU), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0)]
    return nn.Sequential(*layers, nn.Linear(last, classes))
