// What needs no op of its own: the recipes of docs/composites.md, run on the plugins beside the executable and compared with
// PyTorch's results on the CPU, which stand beside each.
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <numeric>
#include <tuple>
#include <vector>

#include "core/op.hpp"
#include "core/tape.hpp"
#include "plugins.hpp"

using namespace oncilla;

namespace {

using Dims = std::vector<int64_t>;

Dims row_major(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

// A buffer of float32 or int64, and the view of it that an op sees.
struct Tensor {
  const Api& api;
  onc_buffer* buffer = nullptr;
  uint32_t dtype;
  Dims dims, strides;

  Tensor(Device& device, uint32_t dtype, Dims sizes)
      : api(device.api()), dtype(dtype), dims(std::move(sizes)), strides(row_major(dims)) {
    api.check(api.buffer_alloc(device.handle(), static_cast<uint64_t>(numel()) * (dtype == ONC_I64 ? 8 : 4), &buffer));
  }
  Tensor(const Tensor&) = delete;
  ~Tensor() { api.buffer_free(buffer); }
  int64_t numel() const { return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()); }
  TensorRef ref() const { return {{buffer, 0}, dtype, dims, strides}; }
};

// The same memory under other sizes and strides.
struct View {
  const Tensor& base;
  Dims dims, strides;
  View(const Tensor& base, Dims sizes) : base(base), dims(std::move(sizes)), strides(row_major(dims)) {}
  View(const Tensor& base, Dims sizes, Dims steps) : base(base), dims(std::move(sizes)), strides(std::move(steps)) {}
  TensorRef ref() const { return {{base.buffer, 0}, base.dtype, dims, strides}; }
};

Value raised(Value base, double exponent) { return pow(base, base.tape->constant(base.dtype, exponent)); }

class Lab {
 public:
  explicit Lab(Device& device) : device_(device), queue_(device.create_queue()) {}
  Queue& queue() { return *queue_; }

  std::unique_ptr<Tensor> empty(Dims dims, uint32_t dtype = ONC_F32) {
    return std::make_unique<Tensor>(device_, dtype, std::move(dims));
  }
  std::unique_ptr<Tensor> tensor(Dims dims, const std::vector<float>& values) {
    auto t = empty(std::move(dims));
    queue_->copy_h2d({t->buffer, 0}, values.data(), values.size() * sizeof values[0]);
    return t;
  }
  // y = the tape of one value over tensors of y's sizes.
  template <class Make, class... In>
  void map(const Make& make, const Tensor& y, const In&... in) {
    Tape tape;
    const std::array<Value, sizeof...(In)> values{tape.input(in.dtype)...};  // braces keep the order
    tape.output(std::apply(make, values));
    Op op(ONC_OP_EXPR);
    op.tape(tape, y.dims);
    (op.in(in.ref()), ...);
    op.out(y.ref()).run(*queue_);
  }
  void copy(const View& from, const View& to) {
    Tape tape;
    tape.output(tape.input(ONC_F32));
    Op(ONC_OP_EXPR).tape(tape, to.dims).in(from.ref()).out(to.ref()).run(*queue_);
  }
  void check(const Tensor& t, const std::vector<double>& expected) {
    std::vector<float> got(static_cast<size_t>(t.numel()));
    queue_->copy_d2h(got.data(), {t.buffer, 0}, got.size() * sizeof got[0]);
    queue_->finish();
    REQUIRE(got.size() == expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      CHECK(static_cast<double>(got[i]) == doctest::Approx(expected[i]).epsilon(2e-6));
    }
  }

 private:
  Device& device_;
  std::unique_ptr<Queue> queue_;
};

template <class A>
A sized(A attrs) {
  attrs.size = sizeof attrs;
  return attrs;
}

onc_pool_attrs pool(Dims kernel, int64_t stride, Dims pad) {
  onc_pool_attrs attrs{};
  attrs.spatial_rank = static_cast<uint32_t>(kernel.size());
  for (size_t d = 0; d < kernel.size(); ++d) {
    attrs.kernel[d] = kernel[d];
    attrs.stride[d] = stride;
    attrs.pad[d] = pad[d];
    attrs.dilation[d] = 1;
  }
  return attrs;
}

std::vector<float> count_from(float first, size_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), first);
  return values;
}

}  // namespace

TEST_CASE("composites: power-average pooling") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    const auto x = lab.tensor({1, 1, 4, 4}, count_from(1, 16));
    const auto power = lab.empty({1, 1, 4, 4}), sum = lab.empty({1, 1, 2, 2});
    lab.map([](Value v) { return raised(v, 2); }, *power, *x);
    onc_pool_attrs windows = pool({2, 2}, 2, {0, 0});
    windows.divisor_override = 1;
    Op(ONC_OP_AVG_POOL).attrs(sized(windows)).in(power->ref()).out(sum->ref()).run(lab.queue());
    lab.map([](Value v) { return raised(v, 0.5); }, *sum, *sum);
    lab.check(*sum, {8.124039, 11.74734, 23.366644, 27.313});  // lp_pool2d(x, 2, 2)
  });
}

TEST_CASE("composites: max unpooling, and the gradient of any max pool") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    const auto x = lab.tensor({1, 1, 4, 4}, {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3});
    const auto y = lab.empty({1, 1, 2, 2}), back = lab.empty({1, 1, 4, 4}), index = lab.empty({1, 1, 2, 2}, ONC_I64);
    Op(ONC_OP_MAX_POOL).attrs(sized(pool({2, 2}, 2, {0, 0}))).in(x->ref()).out(y->ref()).out(index->ref()).run(lab.queue());
    onc_scatter_attrs scatter{};
    scatter.axis = 2;
    scatter.reduce = ONC_SCATTER_ASSIGN;
    const View flat_index(*index, {1, 1, 4}), flat_y(*y, {1, 1, 4}), flat_back(*back, {1, 1, 16});
    Op(ONC_OP_SCATTER).attrs(sized(scatter)).no_in().in(flat_index.ref()).in(flat_y.ref()).out(flat_back.ref()).run(lab.queue());
    lab.check(*back, {0, 0, 0, 0, 0, 9, 0, 6, 0, 0, 0, 0, 9, 0, 9, 0});  // max_unpool2d
  });
  test::on_each_plugin<Lab>([](Lab& lab) {
    const auto x = lab.tensor({1, 1, 3, 5}, {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9.5F});
    const auto y = lab.empty({1, 1, 2, 3}), grad_y = lab.tensor({1, 1, 2, 3}, count_from(1, 6)), grad_x = lab.empty({1, 1, 3, 5});
    const auto index = lab.empty({1, 1, 2, 3}, ONC_I64);
    Op(ONC_OP_ADAPTIVE_MAX_POOL).in(x->ref()).out(y->ref()).out(index->ref()).run(lab.queue());
    onc_scatter_attrs scatter{};
    scatter.axis = 2;
    scatter.reduce = ONC_SCATTER_SUM;
    const View flat_index(*index, {1, 1, 6}), flat_grad(*grad_y, {1, 1, 6}), flat_x(*grad_x, {1, 1, 15});
    Op(ONC_OP_SCATTER).attrs(sized(scatter)).no_in().in(flat_index.ref()).in(flat_grad.ref()).out(flat_x.ref()).run(lab.queue());
    lab.check(*grad_x, {0, 0, 0, 0, 3, 5, 0, 2, 0, 0, 0, 0, 5, 0, 6});  // adaptive_max_pool2d(x, (2, 3)), backward of 1 ... 6
  });
}

TEST_CASE("composites: resampling by area") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    const auto x = lab.tensor({1, 1, 4, 4}, count_from(1, 16)), y = lab.empty({1, 1, 3, 2});
    Op(ONC_OP_ADAPTIVE_AVG_POOL).in(x->ref()).out(y->ref()).run(lab.queue());
    lab.check(*y, {3.5, 5.5, 7.5, 9.5, 11.5, 13.5});  // interpolate(x, size=(3, 2), mode="area")
  });
}

TEST_CASE("composites: pixel shuffle and its inverse") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    // Over [N, C, H, r, W, r]: the narrow tensor is [N, C, r, r, H, W], its dims in another order.
    const Dims space{1, 1, 2, 2, 2, 2};
    const Dims narrow_strides{16, 16, 2, 8, 1, 4};
    const auto narrow = lab.tensor({1, 4, 2, 2}, count_from(0, 16)), wide = lab.empty({1, 1, 4, 4});
    lab.copy(View(*narrow, space, narrow_strides), View(*wide, space));
    lab.check(*wide, {0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15});  // pixel_shuffle(x, 2)
    const auto plain = lab.tensor({1, 1, 4, 4}, count_from(0, 16)), back = lab.empty({1, 4, 2, 2});
    lab.copy(View(*plain, space), View(*back, space, narrow_strides));
    lab.check(*back, {0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15});  // pixel_unshuffle(x, 2)
  });
}

TEST_CASE("composites: local response normalisation") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    const auto x = lab.tensor({1, 4, 2}, {1, 2, 3, 4, -1, -2, 0.5F, 3});
    const auto y = lab.empty({1, 4, 2}), square = lab.empty({1, 4, 2}), mean = lab.empty({1, 4, 2});
    const auto normalise = [](Value v, Value m) { return v * raised(m * 0.3 + 1.5, -0.75); };
    lab.map([](Value v) { return v * v; }, *square, *x);
    // The channels are the height of an image whose width is everything behind them; zeros beside them count.
    const View image(*square, {1, 1, 4, 2}), averages(*mean, {1, 1, 4, 2});
    onc_pool_attrs odd = pool({3, 1}, 1, {1, 0});
    odd.count_include_pad = 1;
    Op(ONC_OP_AVG_POOL).attrs(sized(odd)).in(image.ref()).out(averages.ref()).run(lab.queue());
    lab.map(normalise, *y, *x, *mean);
    // local_response_norm(x, 3, alpha=0.3, beta=0.75, k=1.5)
    lab.check(*y, {0.502973, 0.78159, 1.465181, 1.441324, -0.499234, -0.658325, 0.3474, 1.385966});
    // An even size looks further back than ahead: PAD makes the margin.
    const auto padded = lab.empty({1, 1, 5, 2});
    onc_pad_attrs margin{};
    margin.mode = ONC_PAD_CONSTANT;
    margin.before[2] = 1;
    Op(ONC_OP_PAD).attrs(sized(margin)).in(image.ref()).out(padded->ref()).scalar(0).run(lab.queue());
    Op(ONC_OP_AVG_POOL).attrs(sized(pool({2, 1}, 1, {0, 0}))).in(padded->ref()).out(averages.ref()).run(lab.queue());
    lab.map(normalise, *y, *x, *mean);
    // local_response_norm(x, 2, alpha=0.3, beta=0.75, k=1.5)
    lab.check(*y, {0.68689, 1.146477, 1.316074, 1.294645, -0.438691, -0.647322, 0.337705, 1.185105});
  });
}
