"""What all tests of the PyTorch adapter share: a device, and the rule that nothing falls back unnoticed."""

from collections import Counter

import pytest
import torch


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", dest="long", help="train networks for more steps, and larger ones (test/torch/networks)"
    )
    parser.addoption("--share", type=int, default=1, metavar="N", help="of a test with many parameters, run every Nth case")


def pytest_collection_modifyitems(config, items):
    if not (hasattr(torch, "ocl") and torch.ocl.is_available()):
        why = torch.ocl.problems() if hasattr(torch, "ocl") else "the adapter is not installed"
        pytest.exit(f"no ocl device: {why}", returncode=2)
    share = config.getoption("share")
    if share < 1:
        raise pytest.UsageError(f"--share must be at least 1, not {share}")
    seen: Counter[tuple[str, str]] = Counter()
    kept, left = [], []
    for item in items:
        name = (item.nodeid.split("::")[0], getattr(item, "originalname", item.name))
        (kept if seen[name] % share == 0 else left).append(item)
        seen[name] += 1
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.fixture(autouse=True)
def no_fallback(request):
    """Ops without a kernel raise, except in tests marked `fallback`."""
    mode = "silent" if request.node.get_closest_marker("fallback") else "error"
    with torch.ocl.fallback_mode(mode):
        yield


def pytest_configure(config):
    config.addinivalue_line("markers", "fallback: ops may run on the CPU here")
