"""Networks that make images: U-Net, CycleGAN, style transfer, DCGAN, VAE. forward(*batch) is the loss.

A generator and its discriminator are trained by one loss and one backward: the generator's part sees a frozen discriminator, the discriminator's part a
detached image, so that each gets the gradients that two alternating steps from the same state would give. Random draws of a method
belong to the batch, so that they are the same on every device.
"""

from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional


@contextmanager
def frozen(net):
    """No gradient flows into the parameters of net, but one flows through it."""
    for p in net.parameters():
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in net.parameters():
            p.requires_grad_(True)


# --- U-Net (Ronneberger et al., 2015), with batch normalisation and kept borders, trained by cross entropy and Dice


class UNet(nn.Module):
    def __init__(self, classes=3, width=8, depth=3):
        super().__init__()

        def double_conv(c_in, c_out):
            return nn.Sequential(
                *(nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)),
                *(nn.Conv2d(c_out, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)),
            )

        widths = [width << i for i in range(depth + 1)]
        self.down = nn.ModuleList(double_conv(a, b) for a, b in zip([3, *widths], widths, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(c, c // 2, 2, 2) for c in widths[:0:-1])
        self.fuse = nn.ModuleList(double_conv(c, c // 2) for c in widths[:0:-1])
        self.head = nn.Conv2d(width, classes, 1)
        self.classes = classes

    def forward(self, x, mask):
        skips = []
        for i, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for up, fuse, skip in zip(self.up, self.fuse, skips[-2::-1], strict=True):
            x = fuse(torch.cat([skip, up(x)], 1))
        logits = self.head(x)
        chances = logits.softmax(1)
        truth = functional.one_hot(mask, self.classes).movedim(-1, 1).to(chances.dtype)
        overlap = 2 * (chances * truth).sum((0, 2, 3)) + 1
        dice = 1 - (overlap / ((chances + truth).sum((0, 2, 3)) + 1)).mean()
        return functional.cross_entropy(logits, mask) + dice


# --- CycleGAN (Zhu et al., 2017): two generators of residual blocks, two patch discriminators, least squares, cycle and identity losses


def instance_conv(c_in, c_out, kernel, stride=1, act=True, transposed=False, affine=False):
    """Reflection padding (none before a transposed convolution), convolution, instance normalisation, ReLU."""
    if transposed:
        layers = [nn.ConvTranspose2d(c_in, c_out, kernel, stride, padding=1, output_padding=1)]
    else:
        layers = [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(c_in, c_out, kernel, stride)]
    return nn.Sequential(*layers, nn.InstanceNorm2d(c_out, affine=affine), *([nn.ReLU(inplace=True)] if act else []))


class Residual(nn.Module):
    def __init__(self, channels, affine=False):
        super().__init__()
        self.body = nn.Sequential(
            instance_conv(channels, channels, 3, affine=affine), instance_conv(channels, channels, 3, act=False, affine=affine)
        )

    def forward(self, x):
        return x + self.body(x)


def cycle_generator(width=8, blocks=2):
    return nn.Sequential(
        *(instance_conv(3, width, 7), instance_conv(width, 2 * width, 3, 2), instance_conv(2 * width, 4 * width, 3, 2)),
        *(Residual(4 * width) for _ in range(blocks)),
        *(instance_conv(4 * width, 2 * width, 3, 2, transposed=True), instance_conv(2 * width, width, 3, 2, transposed=True)),
        *(nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()),
    )


def patch_discriminator(width=8):
    layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    for c, stride in ((width, 2), (2 * width, 1)):
        layers += [nn.Conv2d(c, 2 * c, 4, stride, 1), nn.InstanceNorm2d(2 * c), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 4, 1, 1))


class CycleGAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_b, self.to_a = cycle_generator(), cycle_generator()
        self.judge_a, self.judge_b = patch_discriminator(), patch_discriminator()

    def forward(self, a, b):
        loss = 0
        for real, other, to, back, judge in (
            (a, b, self.to_b, self.to_a, self.judge_b),
            (b, a, self.to_a, self.to_b, self.judge_a),
        ):
            fake = to(real)
            with frozen(judge):
                score = judge(fake)
                loss = loss + functional.mse_loss(score, torch.ones_like(score))
            loss = loss + 10 * functional.l1_loss(back(fake), real) + 5 * functional.l1_loss(to(other), other)
            genuine, forged = judge(other), judge(fake.detach())
            loss = loss + 0.5 * (functional.mse_loss(genuine, torch.ones_like(genuine)) + forged.square().mean())
        return loss


# --- Style transfer (Johnson et al., 2016): a transformation network, and the features of a fixed network for the losses


class StyleTransfer(nn.Module):
    def __init__(self, width=8, blocks=2):
        super().__init__()
        self.encode = nn.Sequential(
            *(instance_conv(3, width, 9, affine=True), instance_conv(width, 2 * width, 3, 2, affine=True)),
            instance_conv(2 * width, 4 * width, 3, 2, affine=True),
            *(Residual(4 * width, affine=True) for _ in range(blocks)),
        )
        self.decode = nn.ModuleList(
            [instance_conv(4 * width, 2 * width, 3, affine=True), instance_conv(2 * width, width, 3, affine=True)]
        )
        self.head = nn.Sequential(nn.ReflectionPad2d(4), nn.Conv2d(width, 3, 9))
        stages, c_in = [], 3
        for c in (width, 2 * width, 4 * width):
            pool = [nn.MaxPool2d(2)] if stages else []
            stages.append(
                nn.Sequential(*pool, nn.Conv2d(c_in, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.ReLU())
            )
            c_in = c
        self.features = nn.ModuleList(stages).requires_grad_(False)

    def look(self, x):
        out = []
        for stage in self.features:
            x = stage(x)
            out.append(x)
        return out

    def forward(self, content, style):
        x = self.encode(content)
        for layer in self.decode:
            x = layer(functional.interpolate(x, scale_factor=2, mode="nearest"))
        image = self.head(x)

        def gram(f):
            f = f.flatten(2)
            return f @ f.mT / (f.shape[1] * f.shape[2])

        ours, wanted = self.look(image), self.look(style)
        loss = functional.mse_loss(ours[1], self.look(content)[1])
        loss = loss + 100 * sum(functional.mse_loss(gram(o), gram(w)) for o, w in zip(ours, wanted, strict=True))
        rough = (image[..., 1:] - image[..., :-1]).abs().mean() + (image[..., 1:, :] - image[..., :-1, :]).abs().mean()
        return loss + 0.01 * rough


# --- DCGAN (Radford et al., 2016)


class DCGAN(nn.Module):
    def __init__(self, latent=16, width=8):
        super().__init__()
        up = []
        for c_in, c_out, stride, pad in ((latent, 4 * width, 1, 0), (4 * width, 2 * width, 2, 1), (2 * width, width, 2, 1)):
            up += [nn.ConvTranspose2d(c_in, c_out, 4, stride, pad, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(inplace=True)]
        self.generator = nn.Sequential(*up, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())
        down = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
        for c in (width, 2 * width):
            down += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2, inplace=True)]
        self.discriminator = nn.Sequential(*down, nn.Conv2d(4 * width, 1, 4, bias=False), nn.Flatten(0))
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(m.weight, 0, 0.02)

    def forward(self, real, noise):
        def judged(images, label):
            score = self.discriminator(images)
            return functional.binary_cross_entropy_with_logits(score, torch.full_like(score, label))

        fake = self.generator(noise)
        with frozen(self.discriminator):
            loss = judged(fake, 1)
        return loss + judged(real, 1) + judged(fake.detach(), 0)


# --- Variational autoencoder (Kingma and Welling, 2014)


class VAE(nn.Module):
    def __init__(self, latent=8, width=8, size=32):
        super().__init__()
        flat = 4 * width * (size // 8) ** 2
        self.encode = nn.Sequential(
            *(nn.Conv2d(3, width, 3, 2, 1), nn.ReLU(), nn.Conv2d(width, 2 * width, 3, 2, 1), nn.ReLU()),
            *(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(flat, 2 * latent)),
        )
        self.decode = nn.Sequential(
            *(nn.Linear(latent, flat), nn.Unflatten(1, (4 * width, size // 8, size // 8)), nn.ReLU()),
            *(
                nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1),
                nn.ReLU(),
                nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
                nn.ReLU(),
            ),
            *(nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Sigmoid()),
        )

    def forward(self, x, noise):
        mean, log_var = self.encode(x).chunk(2, 1)
        image = self.decode(mean + noise * (0.5 * log_var).exp())
        likelihood = functional.binary_cross_entropy(image, x.sigmoid(), reduction="sum")
        divergence = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum()
        return (likelihood + divergence) / x.numel()
