// Random numbers: Philox words at each element's place in the tensor, so that layout and device do not change them.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/native/DistributionTemplates.h>
#include <ATen/ops/bernoulli_ops.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/native_dropout_backward_ops.h>
#include <ATen/ops/native_dropout_ops.h>
#include <ATen/ops/normal_ops.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/random_ops.h>
#include <ATen/ops/result_type.h>
#include <ATen/ops/uniform_ops.h>
#include <ATen/ops/view_as_real.h>

#include <limits>

#include "torch/draw.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor& uniform_in_place(at::Tensor& self, double from, double to, Gen generator) {
  need_floating_draw(self, "uniform_");
  TORCH_CHECK(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to);
  draw(self, {}, self.scalar_type(), generator, [&](Ctx& c) {
    const Value low = c.s(c10::Scalar(from)), high = c.s(c10::Scalar(to));
    const Value u = low + (high - low) * uniform(c.tape, c.dtype);
    // Rounding, to half types above all, may reach the open end.
    return where(lt(u, high), u, low);
  });
  return self;
}
at::Tensor& normal_in_place(at::Tensor& self, double mean, double std, Gen generator) {
  if (self.is_complex()) {
    // A deviation of std in the plane is one of std / sqrt(2) in each part; a mean is real.
    at::Tensor pairs = at::view_as_real(self);
    normal_in_place(pairs, 0, std * 0.70710678118654752440, generator);
    if (mean != 0) pairs.select(-1, 0).add_(mean);
    return self;
  }
  need_floating_draw(self, "normal_");
  TORCH_CHECK(std >= 0.0, "normal expects std >= 0.0, but found std ", std);
  draw(self, {}, self.scalar_type(), generator, [&](Ctx& c) {
    const Value m = c.s(c10::Scalar(mean)), s = c.s(c10::Scalar(std));
    return m + s * normal(c.tape, c.dtype);
  });
  return self;
}

at::Tensor& bernoulli_number(at::Tensor& self, double p, Gen generator) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(0 <= p && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p=", p);
  draw(self, {}, at::kFloat, generator, [&](Ctx& c) {
    const Value chance = c.s(c10::Scalar(p));
    return lt(uniform(c.tape, ONC_F32), chance);
  });
  return self;
}
at::Tensor& bernoulli_tensor(at::Tensor& self, const at::Tensor& p, Gen generator) {
  need_dtype(self.scalar_type());
  need_floating_draw(p, "bernoulli_");
  draw(self, p.to(self.device()).expand(self.sizes()), at::kFloat, generator,
       [](Ctx& c) { return lt(uniform(c.tape, ONC_F32), c.x(0)); });
  return self;
}
at::Tensor bernoulli(const at::Tensor& p, Gen generator) {
  at::Tensor out = at::empty_like(p);
  return bernoulli_tensor(out, p, generator);
}

// Whole numbers in [low, low + range): the high half of a product of 32 random bits where the range is small, a remainder of 64
// bits else.
at::Tensor& random_range(at::Tensor& self, int64_t low, uint64_t range, const Gen& generator) {
  need_dtype(self.scalar_type());
  draw(self, {}, at::kLong, generator, [&](Ctx& c) {
    const Value start = c.s(c10::Scalar(low));
    const bool small = range <= (1ULL << 31);
    if (range == 0) {  // all of int64
      return bit_or(shift_left(c.tape.philox(0), c.c(32)), c.tape.philox(1));
    }
    const Value width = c.s(c10::Scalar(static_cast<int64_t>(range)));
    if (small) return start + shift_right(c.tape.philox(0) * width, c.c(32));
    const Value word = bit_or(shift_left(shift_right(c.tape.philox(0), c.c(1)), c.c(32)), c.tape.philox(1));
    return start + remainder(word, width);
  });
  return self;
}
at::Tensor& random_from(at::Tensor& self, int64_t from, std::optional<int64_t> to, Gen generator) {
  if (!to) {
    if (self.is_floating_point() || self.scalar_type() != at::kLong) throw Declined("random_ from a number to the dtype's end");
    return random_range(self, from,
                        from == std::numeric_limits<int64_t>::min()
                            ? 0
                            : static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) - static_cast<uint64_t>(from) + 1,
                        generator);
  }
  TORCH_CHECK(from < *to, "random_ expects 'from' to be less than 'to', but got from=", from, " >= to=", *to);
  at::native::templates::check_from_to_in_range(from, *to - 1, self.dtype());
  return random_range(self, from, static_cast<uint64_t>(*to) - static_cast<uint64_t>(from), generator);
}
at::Tensor& random_to(at::Tensor& self, int64_t to, Gen generator) { return random_from(self, 0, to, generator); }
at::Tensor& random_any(at::Tensor& self, Gen generator) {
  const auto type = self.scalar_type();
  need_dtype(type);
  const uint64_t range = type == at::kDouble     ? (1ULL << 53) + 1
                         : type == at::kFloat    ? (1ULL << 24) + 1
                         : type == at::kHalf     ? (1ULL << 11) + 1
                         : type == at::kBFloat16 ? (1ULL << 8) + 1
                         : type == at::kLong     ? (1ULL << 63)
                         : type == at::kInt      ? (1ULL << 31)
                         : type == at::kShort    ? (1ULL << 15)
                         : type == at::kChar     ? (1ULL << 7)
                         : type == at::kByte     ? (1ULL << 8)
                                                 : 2;
  if (range == (1ULL << 63)) {
    draw(self, {}, at::kLong, generator,
         [](Ctx& c) { return bit_or(shift_left(shift_right(c.tape.philox(0), c.c(1)), c.c(32)), c.tape.philox(1)); });
    return self;
  }
  return random_range(self, 0, range, generator);
}

std::tuple<at::Tensor, at::Tensor> dropout(const at::Tensor& x, double p, std::optional<bool> train) {
  need_floating_draw(x, "native_dropout");
  if (!train.value_or(true) || x.numel() == 0) return {x.clone(), at::ones_like(x, x.options().dtype(at::kBool))};
  TORCH_CHECK(0 <= p && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
  const at::Tensor out = at::empty_like(x), mask = at::empty_like(x, x.options().dtype(at::kBool));
  const std::array<at::Tensor, 2> outs{out, mask};
  draw(outs, x, x.scalar_type(), {}, [&](Ctx& c) {
    const Value keep = c.s(c10::Scalar(1 - p)), scale = c.s(c10::Scalar(p == 1 ? 0.0 : 1 / (1 - p)));
    const Value kept = lt(uniform(c.tape, c.dtype), keep);
    c.out(where(kept, c.x(0) * scale, c.c(0)));
    c.out(kept);
    return Value();
  });
  return {out, mask};
}
at::Tensor dropout_grad(const at::Tensor& grad, const at::Tensor& mask, double scale) {
  need_dtype(grad.scalar_type());
  TORCH_CHECK(mask.scalar_type() == at::kBool, "Mask should be Bool Scalar Type", mask.scalar_type());
  // As in a product with the scale, integers become floating.
  const at::Tensor out = at::empty_like(grad, grad.options().dtype(at::result_type(grad, at::Scalar(scale))));
  auto iter =
      at::TensorIteratorConfig().add_output(out).add_const_input(grad).add_const_input(mask).check_all_same_dtype(false).build();
  pointwise(iter, out.scalar_type(), {}, [&](Ctx& c) {
    const Value s = c.s(c10::Scalar(scale));
    return where(c.raw(1), c.x(0) * s, c.c(0));
  });
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::uniform_, uniform_in_place>(m);
  kernel<at::_ops::normal_, normal_in_place>(m);
  kernel<at::_ops::bernoulli, bernoulli>(m);
  kernel<at::_ops::bernoulli__float, bernoulli_number>(m);
  kernel<at::_ops::bernoulli__Tensor, bernoulli_tensor>(m);
  kernel<at::_ops::random__from, random_from>(m);
  kernel<at::_ops::random__to, random_to>(m);
  kernel<at::_ops::random_, random_any>(m);
  kernel<at::_ops::native_dropout, dropout>(m);
  kernel<at::_ops::native_dropout_backward, dropout_grad>(m);
}

}  // namespace oncilla::adapter
