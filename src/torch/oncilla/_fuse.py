"""``torch.ocl.fuse``: a function of pointwise ops as one kernel, and one more for its gradients."""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch.autograd.function import FunctionCtx

_MOST = 256  # programs that a function keeps: one for each combination of shapes, dtypes and numbers
_SAME = {"aten::clone", "aten::detach", "aten::alias", "aten::lift_fresh_copy"}
_EMPTY = {
    "aten::empty",
    "aten::empty_like",
    "aten::new_empty",
    "aten::empty_strided",
    "aten::new_empty_strided",
    "aten::empty_permuted",
}
_SHAPES = {"aten::expand", "aten::view", "aten::unsqueeze"}  # of a number, or to the same shape
_CASTS = {"aten::_to_copy", "prims::convert_element_type"}
_FILLS = {"aten::full": 1, "aten::full_like": 1, "aten::new_full": 2, "aten::scalar_tensor": 0}
_CONSTANTS = {
    "aten::zeros": 0,
    "aten::zeros_like": 0,
    "aten::new_zeros": 0,
    "aten::ones": 1,
    "aten::ones_like": 1,
    "aten::new_ones": 1,
}


def fuse(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a function of pointwise ops as one kernel, forwards and backwards.

    The function takes tensors and numbers and gives one tensor or a tuple of them. All that it does to tensors must be pointwise:
    arithmetic, comparisons, ``where``, activations, casts. The inputs broadcast, and every result has the shape that they broadcast to.
    It is traced once for each combination of shapes, dtypes and numbers, so it must not depend on values of tensors. Gradients of any order are
    fused too; they compute again what the forward computed rather than keep it. Half types are computed in float32 and rounded only
    where results are stored.

    Where no input is on ``ocl`` the function runs as it is. May be used as a decorator.

    Raises
    ------
    NotImplementedError
        At the first call: the function does something that is not pointwise, or that no kernel can fuse; it names the op.
    ValueError
        A result has another shape than the inputs broadcast to.
    """
    signature = inspect.signature(function)
    programs: OrderedDict[Hashable, _Program] = OrderedDict()

    @functools.wraps(function)
    def fused(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            if bound.kwargs:
                raise TypeError(f"[fuse] arguments that are keywords only: {', '.join(bound.kwargs)}")
            given = bound.args
        else:
            given = args
        where = [i for i, a in enumerate(given) if isinstance(a, torch.Tensor)]
        tensors = [given[i] for i in where]
        if not any(t.device.type == "ocl" for t in tensors):
            return function(*args, **kwargs)
        numbers = tuple((type(a), a) for a in given if not isinstance(a, torch.Tensor))
        key = (tuple(where), numbers, tuple((t.shape, t.dtype) for t in tensors))
        program = programs.get(key)
        if program is None:
            program = _Program(_with_numbers(function, given, where), tensors)
            programs[key] = program
            if len(programs) > _MOST:
                programs.popitem(last=False)
        return program(tensors)

    return fused


def _with_numbers(function: Callable[..., Any], given: Sequence[Any], where: Sequence[int]) -> Callable[..., Any]:
    """The function of its tensors alone."""
    rest = [None if i in where else a for i, a in enumerate(given)]

    def call(*tensors: torch.Tensor) -> Any:
        args = list(rest)
        for i, t in zip(where, tensors, strict=True):
            args[i] = t
        return function(*args)

    return call


class _Program:
    """A traced function for inputs of certain shapes and dtypes."""

    def __init__(self, function: Callable[..., Any], inputs: Sequence[torch.Tensor]) -> None:
        self.function = function
        self.shape = torch.broadcast_shapes(*(t.shape for t in inputs))
        self.backward: dict[tuple[int, ...], Callable[..., Any]] = {}
        self.dtypes: list[torch.dtype] = []
        self.single = True
        self.compiled = self._compile(inputs)

    def __call__(self, tensors: Sequence[torch.Tensor]) -> Any:
        if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
            results = _Fused.apply(self, *tensors)
        else:
            results = self.compiled.run(list(tensors))
        return results[0] if self.single else tuple(results)

    def _compile(self, inputs: Sequence[torch.Tensor]) -> Any:
        from torch.fx.experimental.proxy_tensor import make_fx

        from oncilla import _C

        with torch.no_grad():
            trace = make_fx(
                torch.func.functionalize(self.function),
                decomposition_table=_decompositions(),
                tracing_mode="fake",
                _allow_non_fake_inputs=True,
            )
            graph = trace(*(t.detach() for t in inputs)).graph
        graph.eliminate_dead_code()
        program = _C.Fused(len(inputs))
        values: dict[Any, Any] = {}  # of a node: a value's number, or a number
        count = 0
        for node in graph.nodes:
            if node.op == "placeholder":
                values[node] = _Ref(count)
                count += 1
            elif node.op == "call_function" and isinstance(node.target, torch._ops.OpOverload):
                values[node], steps = _step(program, node, values, count)
                count += steps
            elif node.op == "output":
                self._outputs(program, node.args[0], values)
            else:
                raise NotImplementedError(
                    f"[fuse] a function that keeps a tensor of its own ({node.target}): pass it as an argument"
                )
        return program

    def _outputs(self, program: Any, results: Any, values: dict[Any, Any]) -> None:
        self.single = not isinstance(results, (tuple, list))
        for result in (results,) if self.single else results:
            value = values.get(result)
            if not isinstance(value, _Ref):
                raise ValueError(f"[fuse] a result that is no tensor, or the same number everywhere: {result}")
            if (found := result.meta["val"].shape) != self.shape:
                raise ValueError(f"[fuse] a result of shape {tuple(found)} where the inputs broadcast to {tuple(self.shape)}")
            self.dtypes.append(result.meta["val"].dtype)
            program.output(value.number, self.dtypes[-1])

    def gradient(self, wanted: tuple[int, ...]) -> Callable[..., Any]:
        """Fused function of the inputs, expanded, and the gradients of the floating results: the gradients of the wanted inputs."""
        if wanted not in self.backward:
            floating = [i for i, dtype in enumerate(self.dtypes) if dtype.is_floating_point]

            def gradients(*args: torch.Tensor) -> tuple[torch.Tensor, ...]:
                inputs, grads = args[: -len(floating)], args[-len(floating) :]

                def results(*varied: torch.Tensor) -> tuple[torch.Tensor, ...]:
                    every = list(inputs)
                    for i, t in zip(wanted, varied, strict=True):
                        every[i] = t
                    made = self.function(*every)
                    made = (made,) if isinstance(made, torch.Tensor) else made
                    return tuple(made[i] for i in floating)

                _, pull = torch.func.vjp(results, *(inputs[i] for i in wanted))
                return pull(tuple(grads))

            self.backward[wanted] = fuse(gradients)
        return self.backward[wanted]


class _Fused(torch.autograd.Function):
    """A program with gradients. The backward is a fused function itself, so that it has gradients too."""

    @staticmethod
    def forward(ctx: FunctionCtx, program: _Program, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        results = tuple(program.compiled.run([t.detach() for t in tensors]))
        ctx.program = program
        ctx.save_for_backward(*tensors)
        ctx.mark_non_differentiable(*(t for t in results if not t.is_floating_point()))
        return results

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        program, tensors = ctx.program, ctx.saved_tensors
        wanted = tuple(i for i in range(len(tensors)) if ctx.needs_input_grad[i + 1])
        wide = [t.expand(program.shape) for t in tensors]
        given = [g for g, dtype in zip(grads, program.dtypes, strict=True) if dtype.is_floating_point]
        out: list[torch.Tensor | None] = [None] * (len(tensors) + 1)
        for i, grad in zip(wanted, program.gradient(wanted)(*wide, *given), strict=True):
            out[i + 1] = grad.sum_to_size(tensors[i].shape)
        return tuple(out)


class _Ref:
    """A value of a program."""

    def __init__(self, number: int) -> None:
        self.number = number


class _Empty:
    """A tensor that autograd is about to write."""


def _step(program: Any, node: torch.fx.Node, values: dict[Any, Any], count: int) -> tuple[Any, int]:
    """Add a node to the program. Gives what stands for it, and how many values were added."""
    schema, dtype = node.target._schema, node.meta["val"].dtype
    args = [values[a] if isinstance(a, torch.fx.Node) else a for a in node.args]
    if schema.name in _EMPTY:
        return _Empty(), 0
    if schema.name == "aten::copy":  # of what was written in place
        if not isinstance(args[1], _Ref) or node.args[1].meta["val"].dtype == dtype:
            return args[1], 0
        program.cast(args[1].number, dtype)
        return _Ref(count), 1
    if schema.name == "aten::copy_":
        raise NotImplementedError("[fuse] a function that writes to its inputs")
    if schema.name in _FILLS:
        return args[_FILLS[schema.name]], 0
    if schema.name in _CONSTANTS:
        return _CONSTANTS[schema.name], 0
    if any(isinstance(a, _Empty) for a in args):
        raise NotImplementedError(f"[fuse] {schema.name} of a tensor that nothing was written to")
    if schema.name in _SAME:
        return args[0], 0
    if schema.name in _SHAPES and (not isinstance(args[0], _Ref) or node.args[0].meta["val"].shape == node.meta["val"].shape):
        return args[0], 0
    if schema.name in _CASTS:
        if not isinstance(args[0], _Ref):
            return args[0], 0
        program.cast(args[0].number, dtype)
        return _Ref(count), 1
    for argument in schema.arguments[len(args) :]:
        value = node.kwargs.get(argument.name, argument.default_value)
        args.append(values[value] if isinstance(value, torch.fx.Node) else value)
    name = f"{schema.name}.{schema.overload_name}" if schema.overload_name else schema.name
    if not program.has(name):
        name = name.replace(".Scalar", ".Tensor")  # the number stands for a tensor
    if not program.has(name):
        raise NotImplementedError(f"[fuse] {name} is not pointwise, or has no kernel that can be fused")
    refs = [a.number if isinstance(a, _Ref) else -1 for a in args]
    program.step(name, _common(node, dtype), [None if isinstance(a, _Ref) else a for a in args], refs)
    return _Ref(count), 1


def _common(node: torch.fx.Node, result: torch.dtype) -> torch.dtype:
    """In which dtype an op computes: that of its result, but of its operands where the result is bool."""
    if result != torch.bool:
        return result
    operands = [a.meta["val"] if isinstance(a, torch.fx.Node) else a for a in node.args]
    operands = [a for a in operands if isinstance(a, (torch.Tensor, int, float))]
    default = torch._prims_common.ELEMENTWISE_TYPE_PROMOTION_KIND.DEFAULT
    return torch._prims_common.elementwise_dtypes(*operands, type_promotion_kind=default)[1]


@functools.cache
def _decompositions() -> dict[Any, Callable[..., Any]]:
    """PyTorch's own, for ops that are no steps."""
    from torch._decomp import core_aten_decompositions

    from oncilla import _C

    def named(op: Any) -> str:
        return f"{op._schema.name}.{op._schema.overload_name}" if op._schema.overload_name else op._schema.name

    return {op: made for op, made in core_aten_decompositions().items() if not _C.Fused.has(named(op))}
