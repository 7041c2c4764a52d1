"""Compare one op of PyTorch's OpInfo database on ocl with the CPU: what a worker process of scripts/opinfo does.

Reads jobs as JSON lines, ``{"index": 3, "dtype": "float32", "checks": [...], "samples": 100}``, and answers each with one line: an :class:`Outcome`. An op that ends the process
ends the worker only.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.gradcheck import GradcheckError
from torch.nn.modules.linear_cross_entropy_options import LinearCrossEntropyOptions
from torch.testing._internal.common_device_type import toleranceOverride
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import DecorateInfo, OpInfo, SampleInput
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

CHECKS = ("forward", "backward", "inplace", "out", "strided", "errors", "gradcheck", "gradgradcheck")
# Checks of derivatives against finite differences on the device itself: in double precision only.
DERIVATIVES = {"gradcheck": torch.autograd.gradcheck, "gradgradcheck": torch.autograd.gradgradcheck}
SEED = 1234
# OpInfo seeds its random ops itself; here the seed is the caller's, so that what is random shows.
for module in [m for name, m in sys.modules.items() if name.startswith("torch.testing._internal.")]:
    if hasattr(module, "wrapper_set_seed"):
        module.wrapper_set_seed = lambda op, *args, **kwargs: op(*args, **kwargs)
# What is in fresh memory is nobody's business.
UNINITIALISED = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"}
# Normalisations of half types save their statistics in float32 on every device but the CPU, which casts them (torch/_refs, torch/_decomp).
WIDE_STATISTICS = {
    "native_batch_norm",
    "native_group_norm",
    "native_layer_norm",
    "_native_batch_norm_legit",
    "_batch_norm_with_update",
}
# PyTorch leaves the order of equal elements open; ours is that in which they stood, so the CPU is asked for a stable order, too.
STABLE = {
    "argsort": lambda x, dim=-1, descending=False, stable=False: torch.argsort(x, dim=dim, descending=descending, stable=True),
    "msort": lambda x: torch.sort(x, dim=0, stable=True).values,
    "sort": lambda x, dim=-1, descending=False, stable=False: torch.sort(x, dim=dim, descending=descending, stable=True),
}
# The arguments behind the input of ops that give an element and its position; which of equal elements, PyTorch leaves open.
POSITIONS = {
    "kthvalue": ("k", "dim", "keepdim"),
    "median": ("dim", "keepdim"),
    "mode": ("dim", "keepdim"),
    "nanmedian": ("dim", "keepdim"),
    "topk": ("k", "dim"),
}


@dataclasses.dataclass
class Outcome:
    """What came of an op in one dtype."""

    op: str
    dtype: str
    samples: int = 0
    passed: int = 0
    skipped: int = 0
    """Samples that the CPU itself refuses."""
    random: int = 0
    """Samples with random results, of which only shapes and dtypes are compared."""
    nearer: int = 0
    """Samples beyond PyTorch's tolerance that agree with a float64 run about as well as the CPU does."""
    fallbacks: dict[str, int] = dataclasses.field(default_factory=dict)
    failures: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def full_name(op: OpInfo) -> str:
    """Give the name of an OpInfo with its variant, as PyTorch's tests write it."""
    return op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")


def tolerance(op: OpInfo, dtype: torch.dtype) -> dict[str, float]:
    """Give PyTorch's tolerance: that of torch.testing for the dtype, or the wider one that the OpInfo states for its common tests."""
    rtol, atol = torch.testing._comparison.default_tolerances(dtype, dtype_precisions=torch.testing._comparison._DTYPE_PRECISIONS)
    for info in op.decorators:
        for decorator in getattr(info, "decorators", ()):
            if isinstance(decorator, toleranceOverride) and info.cls_name in (None, "TestCommon") and dtype in decorator.d:
                rtol, atol = max(rtol, decorator.d[dtype].rtol), max(atol, decorator.d[dtype].atol)
    return {"rtol": rtol, "atol": atol}


def on_cpu(tensor: Any) -> Any:
    """Copy a tensor to the CPU with its strides, one on the CPU too; anything else stays as it is."""
    if not isinstance(tensor, torch.Tensor):
        return tensor
    plain = tensor.detach()
    if plain.layout != torch.strided or plain.is_conj() or plain.is_neg() or plain.numel() == 0:
        copy = plain.to("cpu", copy=True)
    else:
        whole = torch.empty(0, dtype=plain.dtype, device=plain.device).set_(plain.untyped_storage())
        copy = whole.to("cpu", copy=True).as_strided(plain.shape, plain.stride(), plain.storage_offset())
    return copy.requires_grad_(tensor.requires_grad)


def map_sample(sample: SampleInput, change: Callable[[Any], Any]) -> SampleInput:
    """Change what a sample consists of; a device that is named becomes the CPU."""

    def each(value: Any) -> Any:
        if (isinstance(value, str) and value.startswith("ocl")) or (isinstance(value, torch.device) and value.type == "ocl"):
            return "cpu"
        return change(value)

    made = sample.transform(lambda t: t)
    made.input, made.args, made.kwargs = (tree_map(each, part) for part in (sample.input, sample.args, sample.kwargs))
    return made


def in_double(value: Any) -> Any:
    """Widen a tensor or a dtype to double precision."""
    wide = {torch.complex64: torch.complex128, torch.complex32: torch.complex128}
    if isinstance(value, LinearCrossEntropyOptions) and value.acc_dtype is not None:
        return dataclasses.replace(value, acc_dtype=torch.float64)
    if isinstance(value, torch.dtype):
        return torch.float64 if value.is_floating_point else wide.get(value, value)
    if isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex()):
        return value.detach().to(wide.get(value.dtype, torch.float64)).requires_grad_(value.requires_grad)
    return value


def left_out(op: OpInfo, check: str, dtype: torch.dtype) -> bool:
    """Whether PyTorch's own test of that kind leaves the op out."""
    case, test = {
        "strided": ("TestCommon", "test_noncontiguous_samples"),
        "out": ("TestCommon", "test_out"),
        "inplace": ("TestCommon", "test_variant_consistency_eager"),
        "gradcheck": ("TestBwdGradients", "test_fn_grad"),
        "gradgradcheck": ("TestBwdGradients", "test_fn_gradgrad"),
    }.get(check, (None, None))
    return test is not None and any(
        info.test_name in (None, test) and info.is_active(case, test, "cpu", dtype, {})
        and not any(isinstance(d, toleranceOverride) for d in info.decorators)
        for info in op.decorators if isinstance(info, DecorateInfo)
    )  # fmt: skip


def tensors(value: Any) -> list[torch.Tensor]:
    """List the tensors in a structure."""
    return [leaf for leaf in tree_flatten(value)[0] if isinstance(leaf, torch.Tensor)]


class WrongResultError(AssertionError):
    """A result that differs from the CPU's."""


class Case:
    """One sample of an op, run on both devices."""

    def __init__(self, op: OpInfo, dtype: torch.dtype, sample: SampleInput, outcome: Outcome) -> None:
        self.op, self.dtype, self.sample, self.outcome = op, dtype, sample, outcome
        self.cpu = map_sample(sample, on_cpu)
        options = self.cpu.kwargs.get("options")
        if (
            isinstance(options, LinearCrossEntropyOptions)
            and options.acc_dtype is None
            and dtype in (torch.float16, torch.bfloat16)
        ):
            # On a device that PyTorch does not know, linear_cross_entropy sums half types in themselves: so must the CPU.
            self.cpu.kwargs["options"] = dataclasses.replace(options, acc_policy="compact", acc_dtype=dtype)

    def call(self, sample: SampleInput, function: Callable[..., Any] | None = None, seed: int = SEED, **more: Any) -> Any:
        """Run a function, the op by default, on a sample."""
        torch.manual_seed(seed)
        if function is None and isinstance(sample.input, torch.Tensor) and sample.input.is_cpu:
            function = STABLE.get(self.op.name)
        return (function or self.op)(sample.input, *sample.args, **{**sample.kwargs, **more})

    def is_random(self) -> bool:
        """Whether the CPU gives other values for another seed."""
        # Many seeds: a few elements may agree by chance.
        first, *others = (tensors(self.call(map_sample(self.cpu, on_cpu), seed=s)) for s in range(40))
        return any(
            a.layout == torch.strided and (a.shape != b.shape or not same_bits(a.detach(), b.detach()))
            for other in others
            for a, b in zip(first, other, strict=True)
        )

    def run(self, check: str) -> None:
        """Run one check; the outcome counts it."""
        if check in DERIVATIVES:
            self.run_counted(check, lambda: self.differentiate(check))
            return
        try:
            with torch.ocl.fallback_mode("silent"):
                wanted = getattr(self, f"_{check}_wanted")()
        except Exception:
            # What the CPU refuses must not have an answer on ocl; error inputs ask that, with the reason.
            self.outcome.skipped += 1
            return
        if wanted is None:
            return

        def run() -> None:
            self.outcome.random += self.compare(getattr(self, f"_{check}_got")(), wanted, check)

        self.run_counted(check, run)

    def run_counted(self, check: str, run: Callable[[], None]) -> None:
        """Count a sample, how it ends, and what ran on the CPU meanwhile."""
        self.outcome.samples += 1
        torch.ocl.reset_fallbacks()
        try:
            run()
            torch.ocl.synchronize()
            self.outcome.passed += 1
        except Exception as error:
            kind = "fallback" if "[fallback]" in str(error) else "wrong" if isinstance(error, AssertionError) else "error"
            self.fail(check, kind, error)
        for name, count in torch.ocl.fallbacks().items():
            self.outcome.fallbacks[name] = self.outcome.fallbacks.get(name, 0) + count

    def differentiate(self, check: str) -> None:
        """Compare derivatives with finite differences on the device, as PyTorch's gradient tests do."""
        leaves, tree = tree_flatten((self.sample.input, self.sample.args, self.sample.kwargs))
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor) and leaf.requires_grad]

        def function(*inputs: torch.Tensor) -> Any:
            # Not the seed of the samples: a probability that is the draw itself makes every step a jump.
            torch.manual_seed(SEED + 1)
            given = list(leaves)
            for place, value in zip(places, inputs, strict=True):
                given[place] = value
            first, args, kwargs = tree_unflatten(given, tree)
            return self.sample.output_process_fn_grad(self.op.gradcheck_wrapper(self.op.get_op(), first, *args, **kwargs))

        try:
            DERIVATIVES[check](
                function,
                tuple(leaves[i] for i in places),
                nondet_tol=self.op.gradcheck_nondet_tol,
                fast_mode=self.op.gradcheck_fast_mode is not False,
                check_batched_grad=False,
            )
        except GradcheckError as error:
            raise WrongResultError(str(error)) from None

    def fail(self, check: str, kind: str, error: BaseException | str) -> None:
        """Note a failure with its sample."""
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self.outcome.failures.append({"check": check, "kind": kind, "sample": self.sample.summary()[:400], "message": text[:600]})

    # What is wanted, and what ocl gives. The CPU's runs first: a sample is used once.

    def _forward_wanted(self) -> Any:
        return self.cpu.output_process_fn_grad(self.call(map_sample(self.cpu, on_cpu)))

    def _forward_got(self) -> Any:
        return self.sample.output_process_fn_grad(self.call(self.sample))

    def gradients(self, sample: SampleInput) -> Any:
        """Differentiate the op with fixed cotangents; None where nothing depends on an input."""
        inputs = [t for t in tensors((sample.input, sample.args, sample.kwargs)) if t.requires_grad]
        outputs = [t for t in tensors(sample.output_process_fn_grad(self.call(sample))) if t.requires_grad]
        if not inputs or not outputs:
            return None
        generator = torch.Generator().manual_seed(SEED)
        # Drawn in one dtype, so that a run in double precision gets the same.
        like = {True: torch.complex64, False: torch.float32}
        cotangents = [torch.randn(t.shape, generator=generator, dtype=like[t.is_complex()]).to(self.dtype if not t.is_complex() else t.dtype)
                      .to(t.device, t.dtype) for t in outputs]  # fmt: skip
        return torch.autograd.grad(outputs, inputs, cotangents, allow_unused=True)

    def _backward_wanted(self) -> Any:
        return self.gradients(map_sample(self.cpu, on_cpu))

    def _backward_got(self) -> Any:
        return self.gradients(self.sample)

    def _inplace_wanted(self) -> Any:
        if self.op.inplace_variant is None or self.sample.broadcasts_input:
            return None
        return self.call(map_sample(self.cpu, lambda v: copied(on_cpu(v))), self.op.inplace_variant)

    def _inplace_got(self) -> Any:
        copy = self.sample.transform(copied)
        got = self.call(copy, self.op.inplace_variant)
        if isinstance(got, torch.Tensor) and got is not copy.input and got.data_ptr() != copy.input.data_ptr():
            raise WrongResultError("the in-place variant returned another tensor")
        return got

    def _out_wanted(self) -> Any:
        if not self.op.supports_out:
            return None
        plain = self.call(self.cpu.transform(copied))
        return plain if isinstance(plain, torch.Tensor) and plain.layout == torch.strided else None

    def _out_got(self) -> Any:
        """Write into a given tensor with gaps, and into one of another shape, which is resized."""
        sample = self.sample.transform(copied)
        plain = self.call(sample)
        gaps = torch.full((*plain.shape, 2), 7, dtype=plain.dtype, device=plain.device)[..., 0]
        result = self.call(sample, out=gaps)
        if result is not gaps or gaps.stride() != torch.empty((*plain.shape, 2))[..., 0].stride():
            raise WrongResultError("out= was not written in place")
        other = torch.empty(plain.numel() + 1, dtype=plain.dtype, device=plain.device)
        self.compare(self.call(sample, out=other.resize_(0)), gaps.cpu(), "out")
        return gaps

    def _strided_wanted(self) -> Any:
        return self._forward_wanted()

    def _strided_got(self) -> Any:
        return self.sample.output_process_fn_grad(self.call(self.sample.noncontiguous()))

    def compare(self, got: Any, wanted: Any, check: str) -> bool:
        """Compare two results of the same structure; give whether their values are random."""
        (got_leaves, got_tree), (leaves, tree) = tree_flatten(got), tree_flatten(wanted)
        if got_tree != tree:
            raise WrongResultError(f"a result of the structure {got_tree}, not {tree}")
        yardstick: tuple[list[Any], list[list[Any]]] | None = None
        near = False
        # Asked where values differ.
        random = True if self.op.name in UNINITIALISED else None
        for i, (g, w) in enumerate(zip(got_leaves, leaves, strict=True)):
            if not isinstance(w, torch.Tensor):
                if type(g) is type(w) and (g == w or g != g):
                    continue
                random = self.is_random() if random is None else random
                if not random:
                    torch.testing.assert_close(g, w)
                continue
            if not isinstance(g, torch.Tensor):
                raise WrongResultError(f"result {i} is {g}, not a tensor")
            if i > 0 and self.op.name in WIDE_STATISTICS and g.dtype == torch.float32:
                g = g.to(w.dtype)
            if g.shape != w.shape or g.dtype != w.dtype:
                raise WrongResultError(f"result {i} is {g.dtype} of shape {tuple(g.shape)}, not {w.dtype} of {tuple(w.shape)}")
            if random:
                continue
            try:
                torch.testing.assert_close(
                    g.detach().cpu(),
                    w.detach(),
                    equal_nan=True,
                    check_stride=False,
                    **(tolerance(self.op, w.dtype) if w.dtype.is_floating_point or w.dtype.is_complex else {}),
                )
            except AssertionError as error:
                if i == 1 and self.op.name in POSITIONS and self.points_at(g, leaves[0]):
                    continue
                random = self.is_random() if random is None else random
                if random:
                    continue
                if yardstick is None:
                    yardstick = self.yardstick(check)
                exact, runs = yardstick
                if not (exact and close_to_exact(g.detach().cpu(), [w.detach(), *(run[i] for run in runs)], exact[i])):
                    raise WrongResultError(str(error)) from None
                near = True
        self.outcome.nearer += near
        return bool(random)

    def points_at(self, positions: torch.Tensor, values: torch.Tensor) -> bool:
        """Whether different positions of the input hold the given values."""
        given = {**dict(zip(POSITIONS[self.op.name], self.cpu.args, strict=False)), **self.cpu.kwargs}
        dim, source, positions = given.get("dim", -1), self.cpu.input.detach(), positions.cpu()
        if source.dim() and self.op.name != "topk" and not given.get("keepdim", False):
            positions, values = positions.unsqueeze(dim), values.unsqueeze(dim)
        distinct = positions.sort(dim).values.diff(dim=dim).ne(0).all() if source.dim() else True
        return bool(distinct) and same_bits(source.gather(dim, positions), values.detach())

    def yardstick(self, check: str) -> tuple[list[Any], list[list[Any]]]:
        """Run the op on the CPU in double precision, and in its own on inputs moved by one ULP: how far rounding alone takes a result.

        Empty where that is no help.
        """
        if not (self.dtype.is_floating_point or self.dtype.is_complex) or self.dtype in (torch.float64, torch.complex128):
            return [], []

        def run(change: Callable[[Any], Any]) -> list[Any]:
            sample = map_sample(self.cpu, change)
            return tree_flatten(
                self.gradients(sample) if check == "backward" else sample.output_process_fn_grad(self.call(sample))
            )[0]

        try:
            generator = torch.Generator().manual_seed(SEED)
            return run(lambda v: in_double(on_cpu(v))), [run(lambda v: moved(on_cpu(v), generator)) for _ in range(2)]
        except Exception:
            return [], []


def moved(value: Any, generator: torch.Generator) -> Any:
    """Move each element of a floating tensor to the number above or below it."""
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return value
    plain = value.detach()
    up = torch.rand(value.shape, generator=generator) < 0.5
    if value.dtype in (torch.float32, torch.float64):
        near = torch.nextafter(plain, torch.where(up, torch.inf, -torch.inf).to(value.dtype))
    else:
        # nextafter has no half types. Their bits are in the order of their magnitudes.
        near = (plain.view(torch.int16) + torch.where(up, 1, -1).to(torch.int16)).view(value.dtype)
        near = torch.where(torch.isfinite(near) & (plain != 0), near, plain)
    return near.requires_grad_(value.requires_grad)


def copied(value: Any) -> Any:
    """Copy a tensor without its history."""
    return value.detach().clone() if isinstance(value, torch.Tensor) else value


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two CPU tensors are equal, NaN included."""
    if a.is_complex():
        a, b = torch.view_as_real(a.resolve_conj()), torch.view_as_real(b.resolve_conj())
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def close_to_exact(got: torch.Tensor, runs: list[torch.Tensor], exact: Any) -> bool:
    """Whether a result is about as far from a float64 run as the CPU's are: the factors of torch._dynamo.utils.same, without its additional tolerance."""
    if not isinstance(exact, torch.Tensor) or exact.shape != got.shape or not (got.is_floating_point() or got.is_complex()):
        return False
    # Where the exact result is not finite in the dtype, both must say the same.
    finite = torch.isfinite(exact) & torch.isfinite(runs[0])
    if not same_bits(got[~finite], runs[0][~finite]) or not torch.isfinite(got[finite]).all():
        return False

    def far(value: torch.Tensor) -> float:
        return (value.detach()[finite].to(exact.dtype) - exact.detach()[finite]).abs().square().mean().sqrt().item()

    return far(got) <= (3.0 if got.dtype in (torch.float16, torch.bfloat16) else 2.0) * max(far(run) for run in runs)


def errors(op: OpInfo, outcome: Outcome) -> None:
    """Run an op's error inputs: where the CPU raises the error that OpInfo asks for, ocl must raise one of its class."""

    def raised(sample: SampleInput) -> Exception | None:
        try:
            op(sample.input, *sample.args, **sample.kwargs)
            torch.ocl.synchronize()
        except Exception as error:
            return error
        return None

    with torch.ocl.fallback_mode("silent"):
        the_cpus, found = list(op.error_inputs("cpu")), list(op.error_inputs("ocl"))
    # Some OpInfos have other error inputs for the CPU: then ocl's alone count.
    the_cpus = the_cpus if len(the_cpus) == len(found) else [None] * len(found)
    for on_the_cpu, wrong in zip(the_cpus, found, strict=True):
        if on_the_cpu is not None and not isinstance(raised(on_the_cpu.sample_input), wrong.error_type):
            outcome.skipped += 1
            continue
        case = Case.__new__(Case)
        case.op, case.sample, case.outcome = op, wrong.sample_input, outcome
        outcome.samples += 1
        error = raised(wrong.sample_input)
        if isinstance(error, wrong.error_type):
            outcome.passed += 1
        elif error is None:
            case.fail("errors", "wrong", f"no error; {wrong.error_type.__name__} was due: {wrong.error_regex}")
        else:
            case.fail("errors", "error", error)


def samples(op: OpInfo, dtype: torch.dtype, check: str, most: int) -> list[SampleInput]:
    """Make the samples of a check on the device, of many every so-manieth; what that needs may run on the CPU."""
    torch.manual_seed(SEED)
    with torch.ocl.fallback_mode("silent"):
        made = list(op.sample_inputs("ocl", dtype, requires_grad=check in ("backward", *DERIVATIVES)))
    # Leaves: PyTorch gives no gradient of a view that was made without a history.
    return [s.transform(leaf) for s in made[:: max(1, -(-len(made) // most))]]


def leaf(value: Any) -> Any:
    """Cut a tensor off what it was made of."""
    return value.detach().requires_grad_(value.requires_grad) if isinstance(value, torch.Tensor) else value


def judge(op: OpInfo, dtype: torch.dtype, checks: list[str], most: int) -> Outcome:
    """Run the checks of one op in one dtype."""
    outcome = Outcome(full_name(op), str(dtype).removeprefix("torch."))
    for check in checks:
        try:
            if check == "errors":
                if op.error_inputs_func is not None:
                    errors(op, outcome)
                continue
            if left_out(op, check, dtype):
                continue
            if check in ("backward", *DERIVATIVES) and not (op.supports_autograd and dtype in op.supported_backward_dtypes("cpu")):
                continue
            if check in DERIVATIVES and (
                dtype not in (torch.float64, torch.complex128) or (check == "gradgradcheck" and not op.supports_gradgrad)
            ):
                continue
            for sample in samples(op, dtype, check, most):
                Case(op, dtype, sample, outcome).run(check)
        except Exception as error:
            outcome.failures.append(
                {
                    "check": check,
                    "kind": "error",
                    "sample": "making the samples",
                    "message": f"{type(error).__name__}: {error}"[:600],
                }
            )
    return outcome


def main() -> None:
    """Serve jobs until the input ends."""
    warnings.simplefilter("ignore")
    # Whatever prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.ocl.set_fallback_mode(os.environ.get("ONCILLA_FALLBACK", "silent"))
    torch.set_num_threads(1)
    for line in sys.stdin:
        job = json.loads(line)
        outcome = judge(op_db[job["index"]], getattr(torch, job["dtype"]), job["checks"], job["samples"])
        print(json.dumps(dataclasses.asdict(outcome)), file=answers, flush=True)


if __name__ == "__main__":
    main()
