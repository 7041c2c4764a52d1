// _foreach_*: the table. Every overload of a name (Scalar, ScalarList, List, Tensor; in place or not) is one row; lists that cannot
// run as one go PyTorch's own way, tensor by tensor on the device.
#include "torch/foreach.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <string>

namespace oncilla::adapter {
namespace {

// The operands in the order of the arguments: lists, numbers, lists of numbers. n: how many there are.
struct Args {
  Each& each;
  c10::SmallVector<Value, 4> x;
};
using EachFn = Value (*)(Args& a);

struct ForeachRow {
  const char* name;
  EachFn fn;
};

// `alpha` is the last argument of some overloads.
Value scaled(Args& a) { return a.x.size() == 3 ? a.x[2] * a.x[1] : a.x[1]; }
Value interpolate(Args& a) {
  const Value span = a.x[1] - a.x[0], weight = a.x[2];
  return where(lt(abs(weight), a.each.c(0.5)), a.x[0] + weight * span, a.x[1] - span * (1.0 - weight));
}

#define ROW(name, expression)                         \
  {                                                   \
    name, [](Args& a) -> Value { return expression; } \
  }
const ForeachRow kRows[] = {
    ROW("_foreach_add", a.x[0] + scaled(a)),
    ROW("_foreach_sub", a.x[0] - scaled(a)),
    ROW("_foreach_mul", a.x[0] * a.x[1]),
    ROW("_foreach_div", a.x[0] / a.x[1]),
    ROW("_foreach_lerp", interpolate(a)),
    ROW("_foreach_addcmul", a.x[0] + a.x[3] * a.x[1] * a.x[2]),
    ROW("_foreach_addcdiv", a.x[0] + a.x[3] * (a.x[1] / a.x[2])),
    ROW("_foreach_maximum", maximum(a.x[0], a.x[1])),
    ROW("_foreach_minimum", minimum(a.x[0], a.x[1])),
    ROW("_foreach_clamp_min", maximum(a.x[0], a.x[1])),
    ROW("_foreach_clamp_max", minimum(a.x[0], a.x[1])),
    ROW("_foreach_sqrt", sqrt(a.x[0])),
    ROW("_foreach_rsqrt", rsqrt(a.x[0])),
    ROW("_foreach_reciprocal", reciprocal(a.x[0])),
    ROW("_foreach_neg", -a.x[0]),
    ROW("_foreach_abs", abs(a.x[0])),
    ROW("_foreach_sign", where(isnan(a.x[0]), a.each.c(0), sign(a.x[0]))),
    ROW("_foreach_exp", exp(a.x[0])),
    ROW("_foreach_log", log(a.x[0])),
};
#undef ROW

struct ForeachKernel final : c10::OperatorKernel {
  ForeachKernel(EachFn fn, bool in_place, size_t count) : fn(fn), in_place(in_place), count(count) {}
  EachFn fn;
  bool in_place;
  size_t count;

  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
    if (!fast(stack)) op.callBoxedForDispatchKey(c10::DispatchKey::CompositeExplicitAutograd, *stack);
  }

 private:
  // Runs as one launch, if that gives what the slow way gives.
  bool fast(torch::jit::Stack* stack) const {
    const auto given = torch::jit::last(*stack, count);
    if (!given[0].isTensorList()) return false;
    const std::vector<at::Tensor> self = given[0].toTensorVector();
    if (self.empty() || !self[0].is_floating_point() || onc_dtype(self[0].scalar_type()) == 0 ||
        Each::why_not(self, self) != nullptr)
      return false;

    Each each(self);
    Args args{each, {}};
    for (const c10::IValue& value : given) {
      if (value.isTensorList()) {
        const std::vector<at::Tensor> list = value.toTensorVector();
        if (Each::why_not(self, list) != nullptr || list[0].scalar_type() != self[0].scalar_type()) return false;
        args.x.push_back(each.list(list));
      } else if (value.isTensor()) {
        const at::Tensor& tensor = value.toTensor();
        if (tensor.is_complex() || onc_dtype(tensor.scalar_type()) == 0) return false;
        if (tensor.dim() == 1 && tensor.is_cpu() &&
            tensor.numel() == static_cast<int64_t>(self.size())) {  // addcdiv.Tensor: one value a tensor
          const at::Tensor wide = tensor.to(at::kDouble).contiguous();
          std::vector<c10::Scalar> values(wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + wide.numel());
          args.x.push_back(each.per_tensor(values));
        } else if (tensor.dim() == 0) {
          // A 0-dim tensor of a wider kind would promote the result.
          if (!tensor.is_cpu() && tensor.scalar_type() != self[0].scalar_type()) return false;
          args.x.push_back(each.broadcast(tensor));
        } else {
          return false;
        }
      } else if (value.isList()) {
        std::vector<c10::Scalar> values;
        for (const auto& item : value.toListRef()) values.push_back(item.toScalar());
        if (values.size() != self.size()) return false;
        for (const auto& item : values) {
          if (item.isComplex()) return false;
        }
        args.x.push_back(each.per_tensor(values));
      } else {
        const c10::Scalar number = value.toScalar();
        if (number.isComplex()) return false;
        args.x.push_back(each.shared(number));
      }
    }
    std::vector<at::Tensor> out = self;
    if (!in_place) {
      for (at::Tensor& tensor : out) tensor = at::empty_like(tensor);
      for (size_t i = 0; i < out.size(); ++i) {
        if (out[i].strides() != self[i].strides()) return false;
      }
    }
    each.out(fn(args), out);
    each.run();
    torch::jit::drop(*stack, count);
    if (!in_place) stack->emplace_back(c10::List<at::Tensor>(out));
    return true;
  }
};

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const ForeachRow& row : kRows) {
    for (const char* suffix : {"", "_"}) {
      for (const char* overload : {"", "Scalar", "ScalarList", "List", "Tensor"}) {
        const std::string name = std::string(row.name) + suffix;
        const auto op = dispatcher.findSchema({"aten::" + name, overload});
        if (!op) continue;
        const std::string full = *overload == '\0' ? name : name + "." + overload;
        m.impl(full.c_str(), torch::CppFunction::makeFromBoxedFunctor(
                                 std::make_unique<ForeachKernel>(row.fn, *suffix != '\0', op->schema().arguments().size())));
      }
    }
  }
}

}  // namespace oncilla::adapter
