// One case, one variant: plan, run twice, look at every byte.
#include "ops/harness.hpp"

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <utility>

#include "ops/arena.hpp"

namespace oncilla::test {
namespace {

// Under the outputs of the first and the second run: NaN or -1, and a large number; or zero, and another large number.
struct Poison {
  std::byte first, second;
};
Poison poison_of(const Case& c) {
  return c.other_poison ? Poison{std::byte{0}, std::byte{0x7B}} : Poison{std::byte{0xFF}, std::byte{0x5A}};
}

// Descriptors of a case's tensors; owns what the ABI's structs point to.
class Description {
 public:
  Description(const Case& c, bool dense, const std::string& variant) : variant_(variant) {
    const size_t n = c.in.size() + c.out.size();
    dims_.reserve(n);
    strides_.reserve(n);
    tensors_.reserve(n);
    for (const auto* side : {&c.in, &c.out}) {
      for (const Tensor& t : *side) add(t, dense, side == &c.in ? in_ : out_);
    }
    desc_.size = sizeof desc_;
    desc_.op = c.op;
    desc_.n_in = static_cast<uint32_t>(in_.size());
    desc_.n_out = static_cast<uint32_t>(out_.size());
    desc_.in = in_.data();
    desc_.out = out_.data();
    desc_.attrs = attributes(c);
    if (!variant_.empty()) {
      ext_.head = {ONC_EXT_VARIANT, sizeof ext_, nullptr};
      ext_.name = variant_.c_str();
      desc_.next = &ext_.head;
    }
  }
  Description(const Description&) = delete;
  const onc_op_desc* get() const { return &desc_; }

 private:
  void add(const Tensor& t, bool dense, std::vector<const onc_tensor_desc*>& side) {
    if (t.dtype == 0) return side.push_back(nullptr);
    dims_.push_back(t.dims);
    strides_.push_back(layout_strides(t.dims, dense ? Layout::contiguous : t.layout, t.broadcast));
    onc_tensor_desc d{};
    d.size = sizeof d;
    d.dtype = t.dtype;
    d.rank = static_cast<uint32_t>(t.dims.size());
    d.dims = dims_.back().data();
    d.strides = strides_.back().data();
    tensors_.push_back(d);
    side.push_back(&tensors_.back());
  }

  const void* attributes(const Case& c) {
    if (c.op == ONC_OP_EXPR) {
      expr_.size = sizeof expr_;
      expr_.rank = static_cast<uint32_t>(c.dims.size());
      expr_.reduce_rank = c.reduce_rank;
      expr_.n_insts = static_cast<uint32_t>(c.insts.size());
      expr_.n_outs = static_cast<uint32_t>(c.outs.size());
      expr_.n_scalars = c.n_shared_scalars;
      expr_.dims = c.dims.data();
      expr_.insts = c.insts.data();
      expr_.outs = c.outs.data();
      return &expr_;
    }
    if (c.op == ONC_OP_FOREACH) {
      foreach_.size = sizeof foreach_;
      foreach_.n_tensors = c.n_tensors;
      foreach_.n_in_lists = static_cast<uint32_t>(c.in.size()) / c.n_tensors;
      foreach_.n_out_lists = static_cast<uint32_t>(c.out.size()) / c.n_tensors;
      foreach_.n_insts = static_cast<uint32_t>(c.insts.size());
      foreach_.n_scalars = c.n_shared_scalars;
      foreach_.n_tensor_scalars = c.n_tensor_scalars;
      foreach_.insts = c.insts.data();
      foreach_.outs = c.outs.data();
      return &foreach_;
    }
    if (!c.insts.empty()) {
      epilogue_.size = sizeof epilogue_;
      epilogue_.n_insts = static_cast<uint32_t>(c.insts.size());
      epilogue_.n_inputs = c.in.size() > 3 ? static_cast<uint32_t>(c.in.size() - 3) : 0;
      epilogue_.n_scalars = c.n_shared_scalars;
      epilogue_.out = c.outs[0];
      epilogue_.insts = c.insts.data();
      return c.op == ONC_OP_CONV ? with_epilogue(conv_, c) : with_epilogue(matmul_, c);
    }
    return c.attrs.empty() ? nullptr : c.attrs.data();
  }

  template <class A>
  const void* with_epilogue(A& attrs, const Case& c) {
    if (!c.attrs.empty()) std::memcpy(&attrs, c.attrs.data(), std::min(sizeof attrs, c.attrs.size()));
    attrs.size = sizeof attrs;
    attrs.flags |= ONC_ATTRS_EPILOGUE;
    attrs.epilogue = &epilogue_;
    return &attrs;
  }

  std::vector<Dims> dims_, strides_;
  std::vector<onc_tensor_desc> tensors_;
  std::vector<const onc_tensor_desc*> in_, out_;
  onc_expr_attrs expr_{};
  onc_foreach_attrs foreach_{};
  onc_epilogue epilogue_{};
  onc_matmul_attrs matmul_{};
  onc_conv_attrs conv_{};
  onc_ext_variant ext_{};
  onc_op_desc desc_{};
  std::string variant_;
};

class PlanHandle {
 public:
  PlanHandle(Bench& bench, const Description& description) : bench_(bench) {
    bench.api().check(bench.api().plan_create(bench.device().handle(), description.get(), &plan_));
    info_.size = sizeof info_;
    try {
      bench.api().check(bench.api().plan_info(plan_, &info_));
    } catch (...) {
      bench.api().plan_free(plan_);
      throw;
    }
  }
  ~PlanHandle() { bench_.api().plan_free(plan_); }
  PlanHandle(const PlanHandle&) = delete;
  const onc_plan_info& info() const { return info_; }

  // Uploads the image, runs, and gives the image afterwards.
  std::vector<std::byte> run(const Case& c, const ArenaImage& image) {
    const onc_arg arena = bench_.arena(image.before().size());
    bench_.queue().copy_h2d(arena, image.before().data(), image.before().size());
    const std::vector<onc_arg> args = image.args(arena);
    onc_run run{};
    run.size = sizeof run;
    run.args = args.data();
    run.n_args = static_cast<uint32_t>(args.size());
    run.scalars = c.scalars.data();
    run.n_scalars = static_cast<uint32_t>(c.scalars.size());
    run.workspace = image.workspace(arena);
    bench_.api().check(bench_.api().plan_run(plan_, bench_.queue().handle(), &run));
    bench_.queue().finish();
    std::vector<std::byte> after(image.before().size());
    bench_.queue().copy_d2h(after.data(), arena, after.size());
    return after;
  }

  // The same with a buffer for each tensor. Gaps of the image stay as they were.
  std::vector<std::byte> run_separate(const Case& c, const ArenaImage& image) {
    const std::vector<ArenaImage::Part> parts = image.parts();
    std::vector<onc_arg> args(parts.size(), onc_arg{nullptr, 0});
    for (size_t i = 0; i < parts.size(); ++i) {
      const ArenaImage::Part& part = parts[i];
      if (part.same_as != SIZE_MAX) {
        args[i] = args[part.same_as];
      } else if (part.bytes > 0) {
        args[i] = bench_.separate(part.bytes);
        if (part.filled) bench_.queue().copy_h2d(args[i], image.before().data() + part.offset, part.bytes);
      }
    }
    onc_run run{};
    run.size = sizeof run;
    run.args = args.data();
    run.n_args = static_cast<uint32_t>(parts.size() - 1);
    run.scalars = c.scalars.data();
    run.n_scalars = static_cast<uint32_t>(c.scalars.size());
    run.workspace = args.back();
    bench_.api().check(bench_.api().plan_run(plan_, bench_.queue().handle(), &run));
    bench_.queue().finish();
    std::vector<std::byte> after = image.before();
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      if (parts[i].bytes == 0) continue;
      std::vector<std::byte> bytes(parts[i].bytes);
      bench_.queue().copy_d2h(bytes.data(), args[i], bytes.size());
      image.take(parts[i], bytes, after);
    }
    return after;
  }

 private:
  Bench& bench_;
  onc_plan* plan_ = nullptr;
  onc_plan_info info_{};
};

std::string output_name(const Case& c, size_t out) {
  return "output " + std::to_string(out) + (out < c.labels.size() ? " (" + c.labels[out] + ")" : "");
}

std::string index_name(const Dims& dims, int64_t flat) {
  Dims index(dims.size());
  for (size_t d = dims.size(); d-- > 0;) {
    index[d] = flat % dims[d];
    flat /= dims[d];
  }
  std::ostringstream name;
  name << "[";
  for (size_t d = 0; d < index.size(); ++d) name << (d ? ", " : "") << index[d];
  name << "]";
  return name.str();
}

// torch.testing.assert_close's defaults.
void limits_of(uint32_t dtype, double& relative, double& absolute) {
  relative = dtype == ONC_F64 ? 1e-7 : dtype == ONC_F16 ? 1e-3 : dtype == ONC_BF16 ? 1.6e-2 : 1.3e-6;
  absolute = dtype == ONC_F64 ? 1e-7 : 1e-5;
}

// How far an element is off, as a share of the tolerance; 0 if nothing is tolerated and it is right, infinity if it is wrong.
double error_of(const Tensor& tensor, const std::byte* got, const std::byte* expected, Tolerance tolerance) {
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  const bool same = std::memcmp(got, expected, item_bytes(tensor.dtype)) == 0;
  if (same) return 0;
  if (!is_float(tensor.dtype)) return kWrong;
  const double g = decode_float(got, tensor.dtype), e = decode_float(expected, tensor.dtype);
  if (std::isnan(g) || std::isnan(e)) return std::isnan(g) && std::isnan(e) ? 0 : kWrong;
  if (tolerance == Tolerance::exact) return kWrong;
  if (std::isinf(g) || std::isinf(e)) return g == e ? 0 : kWrong;
  double relative = 0, absolute = 0;
  limits_of(tensor.dtype, relative, absolute);
  return std::fabs(g - e) / (absolute + relative * std::fabs(e));
}

std::string value_name(const std::byte* at, uint32_t dtype) {
  std::ostringstream out;
  if (is_float(dtype)) {
    out.precision(dtype == ONC_F64 ? 17 : 9);
    out << decode_float(at, dtype);
  } else {
    out << decode_int(at, dtype);
  }
  return out.str();
}

std::string check_known(const Case& c, const std::vector<Elements>& outputs) {
  for (const auto& [out, values] : c.known) {
    Elements wanted(values.size() * item_bytes(c.out[out].dtype));
    for (size_t i = 0; i < values.size(); ++i)
      encode_float(wanted.data() + i * item_bytes(c.out[out].dtype), c.out[out].dtype, values[i]);
    Tensor head = c.out[out];
    head.dims = {static_cast<int64_t>(values.size())};
    Elements got = outputs[out];
    got.resize(wanted.size());
    const std::string difference = compare(head, got, wanted, c.tolerance);
    if (!difference.empty()) return output_name(c, out) + " against known values: " + difference;
  }
  return "";
}

// Runs a planned variant twice, or once in separate buffers; "" or what is wrong.
std::string judge(const Case& c, PlanHandle& plan, const std::vector<Elements>& inputs, const std::vector<Elements>& expected,
                  bool separate, double& worst) {
  const Poison poison = poison_of(c);
  const ArenaImage first(c, inputs, false, plan.info().workspace_bytes, poison.first);
  const ArenaImage second(c, inputs, false, plan.info().workspace_bytes, poison.second);
  const std::vector<std::byte> after = separate ? plan.run_separate(c, first) : plan.run(c, first);
  std::string problem = first.check_untouched(after);
  std::vector<Elements> outputs;
  for (size_t o = 0; o < c.out.size(); ++o) outputs.push_back(first.output(after, o));
  for (size_t o = 0; o < c.out.size() && problem.empty(); ++o) {
    problem = compare(c.out[o], outputs[o], expected[o], c.tolerance, &worst);
    if (!problem.empty()) problem = output_name(c, o) + ": " + problem;
  }
  if (problem.empty()) problem = check_known(c, outputs);
  if (!problem.empty() || separate) return problem;

  const std::vector<std::byte> again = plan.run(c, second);
  problem = second.check_untouched(again);
  for (size_t o = 0; o < c.out.size() && problem.empty(); ++o) {
    problem = compare(c.out[o], second.output(again, o), outputs[o], Tolerance::exact);
    if (!problem.empty()) problem = output_name(c, o) + " of a second run over other poison is not the same: " + problem;
  }
  return problem;
}

std::vector<std::string> split(const std::string& words) {
  std::istringstream in(words);
  std::vector<std::string> result;
  for (std::string word; in >> word;) result.push_back(word);
  return result;
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Bench::Bench(std::shared_ptr<Backend> backend, uint32_t index)
    : device_(Device::open(std::move(backend), index)), queue_(device_->create_queue()) {
  device_->allocator().set_poison(true);
}

Bench::~Bench() {
  device_->allocator().free(arena_.address);
  for (onc_buffer* buffer : separate_) api().buffer_free(buffer);
}

onc_arg Bench::separate(size_t bytes) {
  onc_buffer* buffer = nullptr;
  api().check(api().buffer_alloc(device_->handle(), bytes, &buffer));
  separate_.push_back(buffer);
  return {buffer, 0};
}

bool Bench::has_fp64() const {
  const std::string features = std::string(" ") + device_->info().features + " ";
  return features.find(" fp64 ") != std::string::npos;
}

onc_arg Bench::arena(size_t bytes) {
  if (bytes > arena_.bytes) {
    device_->allocator().free(std::exchange(arena_, {}).address);
    arena_ = device_->allocator().allocate(std::max(bytes + bytes / 2, size_t{1} << 20), *queue_);
  }
  return arena_.at;
}

std::string compare(const Tensor& tensor, const Elements& got, const Elements& expected, Tolerance tolerance, double* worst) {
  const size_t item = item_bytes(tensor.dtype ? tensor.dtype : uint32_t{ONC_U8}), n = expected.size() / item;
  size_t differ = 0, first = 0;
  for (size_t i = 0; i < n; ++i) {
    const double error = error_of(tensor, got.data() + i * item, expected.data() + i * item, tolerance);
    if (worst != nullptr) *worst = std::max(*worst, error);
    if (error <= 1) continue;
    if (differ++ == 0) first = i;
  }
  if (differ == 0) return "";
  return "element " + index_name(tensor.dims, static_cast<int64_t>(first)) + " is " +
         value_name(got.data() + first * item, tensor.dtype) + ", expected " +
         value_name(expected.data() + first * item, tensor.dtype) + "; " + std::to_string(differ) + " of " + std::to_string(n) +
         " differ";
}

std::vector<Elements> inputs_of(const Case& c, Bench& reference) {
  std::vector<Elements> inputs;
  for (size_t i = 0; i < c.in.size(); ++i) {
    inputs.push_back(c.in[i].dtype ? draw(c.in[i].dtype, c.in[i].numel(), c.in[i].fill, hash(c.name.c_str()) + i) : Elements{});
  }
  if (c.forward) {
    const std::vector<Elements> forward_in = inputs_of(*c.forward, reference);
    const std::vector<Elements> forward_out = expected_of(*c.forward, forward_in, reference);
    for (const Feed& feed : c.feeds) inputs[feed.in] = feed.from_output ? forward_out[feed.index] : forward_in[feed.index];
  }
  return inputs;
}

std::vector<Elements> expected_of(const Case& c, const std::vector<Elements>& inputs, Bench& reference) {
  const Description description(c, true, "");
  PlanHandle plan(reference, description);
  const ArenaImage image(c, inputs, true, plan.info().workspace_bytes, poison_of(c).first);
  const std::vector<std::byte> after = plan.run(c, image);
  std::vector<Elements> outputs;
  for (size_t o = 0; o < c.out.size(); ++o) outputs.push_back(image.output(after, o));
  return outputs;
}

std::vector<Result> run_case(const Case& c, Bench& tested, Bench& reference, const Choice& choice) {
  std::vector<Result> results;
  double begin = now();
  const auto add = [&](const std::string& variant, Result::State state, const std::string& message, double worst = 0) {
    results.push_back({c.name, variant, state, message, now() - begin, state == Result::State::passed ? worst : 0});
    begin = now();
  };
  std::vector<Elements> inputs, expected;
  std::vector<std::string> variants;
  try {
    const Description description(c, false, "");
    const PlanHandle plan(tested, description);
    variants = split(plan.info().candidates ? plan.info().candidates : "");
    if (variants.empty()) add("", Result::State::failed, "the plan names no candidates");
  } catch (const Error& error) {
    const bool may = error.code() == ONC_UNIMPLEMENTED && (!choice.complete || (c.needs_fp64() && !tested.has_fp64()));
    add("", may ? Result::State::declined : Result::State::failed, error.what());
  }
  if (variants.empty()) return results;
  try {
    inputs = inputs_of(c, reference);
    expected = expected_of(c, inputs, reference);
  } catch (const std::exception& error) {
    add("", Result::State::failed, std::string("the reference plugin: ") + error.what());
    return results;
  }
  for (const std::string& variant : variants) {
    if (!choice.variant.empty() && variant != choice.variant) continue;
    double worst = 0;
    try {
      const Description description(c, false, variant);
      PlanHandle plan(tested, description);
      std::string problem = judge(c, plan, inputs, expected, choice.separate, worst);
      if (plan.info().variant != variant)
        problem = "the plan runs variant " + std::string(plan.info().variant) + ", forced was " + variant;
      add(variant, problem.empty() ? Result::State::passed : Result::State::failed, problem, worst);
    } catch (const std::exception& error) {
      add(variant, Result::State::failed, error.what());
    }
  }
  return results;
}

}  // namespace oncilla::test
