// The greatest element of a window and where it lies: the first of equals; a NaN before all numbers, the last one where there are
// several, as PyTorch has it.
#pragma once

#include <cmath>
#include <limits>

#include "plan.hpp"
#include "window.hpp"

namespace oncilla::reference {

class Maximum {
 public:
  explicit Maximum(uint32_t dtype) : floating_(is_float(dtype)) {
    best_.f = -std::numeric_limits<double>::infinity();
    best_.i = wrap_int(int64_t{1} << (8 * kit::dtype_bytes(dtype) - 1), dtype);  // the lowest signed value
    if (kit::dtype_kind(dtype) == 'u') best_.i = 0;
  }
  void take(const Number& value, int64_t position) {
    const bool greater = floating_ ? value.f > best_.f || std::isnan(value.f) : value.i > best_.i;
    if (at_ >= 0 && !greater) return;
    best_ = value;
    at_ = position;
  }
  const Number& value() const { return best_; }
  int64_t position() const { return at_; }  // -1: nothing was taken

 private:
  bool floating_;
  Number best_;
  int64_t at_ = -1;
};

// Pools planes [N, C] of input 0 into outputs 0 (values) and 1 (positions). each(plane, output, take): calls take(position) for the
// elements of an output's window, in order.
template <class Each>
void pool_maxima(const Call& call, const Place& in, const Place& out, Each&& each) {
  const kit::Tensor& tensor = call.desc().input(0);
  const std::vector<Number> x = call.read_numbers(0);
  std::vector<Number> y;
  std::vector<int64_t> index;
  Window all;
  all.out = out;
  for (int64_t plane = 0; plane < tensor.dims[0] * tensor.dims[1]; ++plane) {
    const Number* values = x.data() + plane * volume(in);
    all.outputs([&](const Place& output) {
      Maximum maximum(tensor.dtype);
      each(plane, output, [&](int64_t position) { maximum.take(values[position], position); });
      y.push_back(maximum.value());
      index.push_back(maximum.position());
    });
  }
  call.write_numbers(0, y);
  call.write_int(1, index);
}

}  // namespace oncilla::reference
