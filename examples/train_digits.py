"""Trains a small convolutional network on scikit-learn's 1,797 handwritten digits, on any device that PyTorch knows.

Nothing here belongs to one device: the same seed and data order give the same losses, up to rounding, wherever it runs. A checkpoint that
one device wrote continues on another (``--resume``).
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm


@dataclass
class History:
    """What a run measured, step by step and epoch by epoch."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)


def load_data(seed: int, device: torch.device) -> tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """Load the digits and split them: four fifths to train on, one to test on.

    Parameters
    ----------
    seed
        Of the split.
    device
        Where the tensors live.

    Returns
    -------
    tuple
        Images ``[N, 1, 8, 8]`` in 0 … 1 and labels, for training and for the test.
    """
    # Of scikit-learn only its file is needed; sklearn.datasets.load_digits gives the same, but importing it takes longer than an epoch.
    file = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    rows = torch.from_numpy(np.loadtxt(file, dtype=np.int64, delimiter=","))  # 64 pixels of 0 … 16, and the label
    images, labels = rows[:, :64].reshape(-1, 1, 8, 8).float() / 16, rows[:, 64]
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    cut = len(labels) * 4 // 5
    train, test = order[:cut], order[cut:]
    return (images[train].to(device), labels[train].to(device)), (images[test].to(device), labels[test].to(device))


def make_model() -> nn.Sequential:
    """Build the network: two convolutions with batch norm, pooling, two linear layers."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def batches(images: torch.Tensor, labels: torch.Tensor, size: int, order: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Cut the data, in the given order, into batches on its device."""
    device = images.device
    images, labels = images.cpu()[order].to(device), labels.cpu()[order].to(device)
    return list(zip(images.split(size), labels.split(size), strict=True))


@torch.no_grad()
def predict(model: nn.Module, images: torch.Tensor, size: int = 256) -> torch.Tensor:
    """Return the predicted digits on the CPU."""
    model.eval()
    return torch.cat([model(part).argmax(1).cpu() for part in images.split(size)])


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, data: list[tuple[torch.Tensor, torch.Tensor]], bar: tqdm, history: History
) -> None:
    """Train one epoch; the bar shows loss, accuracy and samples per second."""
    model.train()
    seen = right = 0
    start = time.perf_counter()
    for images, labels in data:
        optimizer.zero_grad()
        logits = model(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        history.losses.append(loss.item())
        right += int((logits.argmax(1) == labels).sum())
        seen += len(labels)
        rate = seen / (time.perf_counter() - start)
        bar.set_postfix(
            loss=f"{history.losses[-1]:.4f}", accuracy=f"{right / seen:.3f}", samples_per_s=f"{rate:.0f}", refresh=False
        )
        bar.update()


def draw(path: Path, history: History, images: torch.Tensor, labels: torch.Tensor, predicted: torch.Tensor, title: str) -> None:
    """Draw the training curve and the digits that the network got wrong."""
    import matplotlib  # here, since training can begin without it

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    wrong = (predicted != labels).nonzero().flatten().tolist()
    figure = plt.figure(figsize=(11, 4.5), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subfigures(1, 2, width_ratios=[3, 2])
    axes = left.subplots()
    axes.plot(history.losses, color="tab:blue", linewidth=0.8, label="training loss")
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    twin = axes.twinx()
    per_epoch = len(history.losses) / max(1, len(history.accuracies))
    twin.plot(
        [per_epoch * (i + 1) for i in range(len(history.accuracies))], history.accuracies, "o-", color="tab:orange", markersize=3
    )
    twin.set(ylabel="test accuracy")
    twin.yaxis.label.set_color("tab:orange")
    right.suptitle(f"{len(wrong)} of {len(labels)} wrong" if wrong else "no digit wrong", fontsize=10)
    rows = right.subplots(3, 4, squeeze=False)
    for axis in rows.flat:
        axis.axis("off")
    for axis, i in zip(rows.flat, wrong, strict=False):
        axis.imshow(images[i, 0], cmap="gray_r")
        axis.set_title(f"{labels[i]}, not {predicted[i]}", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def parse() -> argparse.Namespace:
    """Parse the command line."""
    found = torch.accelerator.current_accelerator(check_available=True)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default=str(found or "cpu"), help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--out", type=Path, default=Path("digits"), help="folder of the results")
    parser.add_argument("--resume", type=Path, help="a checkpoint to continue from; --epochs counts from its epoch on")
    return parser.parse_args()


def main() -> None:
    """Train, test, and write checkpoint, curve and losses."""
    args = parse()
    device = torch.device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    (train_x, train_y), (test_x, test_y) = load_data(args.seed, device)
    # Made on the CPU and then moved, and ordered by a CPU generator, so that a seed means the same on every device.
    torch.manual_seed(args.seed)
    model = make_model().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    history, first = History(), 0
    if args.resume:
        saved = torch.load(args.resume, map_location=device, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first, history = saved["epoch"], History(**saved["history"])

    start = time.perf_counter()
    steps = -(-len(train_y) // args.batch_size)
    with tqdm(total=steps * args.epochs, desc=str(device)) as bar:
        for epoch in range(first, first + args.epochs):
            order = torch.randperm(len(train_y), generator=torch.Generator().manual_seed(args.seed * 1_000_003 + epoch))
            train_epoch(model, optimizer, batches(train_x, train_y, args.batch_size, order), bar, history)
            predicted = predict(model, test_x)
            history.accuracies.append((predicted == test_y.cpu()).float().mean().item())
    seconds = time.perf_counter() - start

    accuracy = history.accuracies[-1] if history.accuracies else 0.0
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": first + args.epochs,
        "history": asdict(history),
    }
    torch.save(checkpoint, args.out / "checkpoint.pt")
    title = f"{device}: test accuracy {accuracy:.2%} after epoch {first + args.epochs}"
    draw(args.out / "digits.png", history, test_x.cpu(), test_y.cpu(), predict(model, test_x), title)
    # A device that can count what it did not do itself says so.
    fallbacks = getattr(getattr(torch, device.type, None), "fallbacks", dict)()
    results = {
        "device": str(device),
        "seed": args.seed,
        "seconds": seconds,
        "accuracy": accuracy,
        "fallbacks": fallbacks,
        **asdict(history),
    }
    (args.out / "results.json").write_text(json.dumps(results, indent=1))
    print(f"test accuracy {accuracy:.2%}, {seconds:.1f} s, ops that fell back to the CPU: {fallbacks or 'none'}")
    print(f"wrote {args.out}/checkpoint.pt, digits.png, results.json")


if __name__ == "__main__":
    main()
