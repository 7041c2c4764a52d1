"""ONNX Runtime on the CPU, for inference: the network is exported by PyTorch."""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from collections.abc import Sequence
from typing import Any

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import Contestant, DeclinedError, Prepared
from oncilla_bench.workload import Workload

NEEDED = ("onnxruntime", "onnx", "onnxscript")


class Session(Prepared):
    """A network with its inputs."""

    def __init__(self, workload: Workload) -> None:
        import onnxruntime as ort

        names = [f"x{i}" for i in range(len(workload.inputs))]
        file = io.BytesIO()
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it would name what of torchvision it cannot export
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(workload.model, tuple(workload.inputs), input_names=names, dynamo=True, verbose=False)
        program.save(file)
        options = ort.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        # Threads that spin after a call would take the next contestant's time.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name: t.numpy() for i, t in zip(self.session.get_inputs(), workload.inputs, strict=True)}

    def call(self) -> Any:
        """Run the graph."""
        return self.session.run(None, self.inputs)

    def fetch(self, result: Any) -> Sequence[torch.Tensor]:
        """Copy the arrays."""
        return [torch.as_tensor(a).clone() for a in result]


class OnnxRuntime(Contestant):
    """Inference alone."""

    name = "onnxruntime"
    about = "ONNX Runtime's CPU provider: inference of whole networks"
    default = False

    def missing(self) -> str:
        """Say what is not installed."""
        lacking = [n for n in NEEDED if importlib.util.find_spec(n) is None]
        return f"not installed: {', '.join(lacking)}" if lacking else ""

    def versions(self) -> dict[str, str]:
        """Of ONNX Runtime."""
        import onnxruntime

        return {"onnxruntime": onnxruntime.__version__}

    def prepare(self, case: Case, workload: Workload) -> Session:
        """Take inference."""
        if workload.model is None:
            raise DeclinedError("only whole networks, forwards")
        return Session(workload)
