"""What all tests of the PyTorch adapter share: a device, and the rule that nothing falls back unnoticed."""

import pytest
import torch


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", dest="long", help="train networks for more steps, and larger ones (test/torch/networks)"
    )


def pytest_collection_modifyitems(items):
    if not (hasattr(torch, "ocl") and torch.ocl.is_available()):
        why = torch.ocl.problems() if hasattr(torch, "ocl") else "the adapter is not installed"
        pytest.exit(f"no ocl device: {why}", returncode=2)


@pytest.fixture(autouse=True)
def no_fallback(request):
    """Ops without a kernel raise, except in tests marked `fallback`."""
    mode = "silent" if request.node.get_closest_marker("fallback") else "error"
    with torch.ocl.fallback_mode(mode):
        yield


def pytest_configure(config):
    config.addinivalue_line("markers", "fallback: ops may run on the CPU here")
