// One case, one variant: plan, run twice, look at every byte.
#include "ops/harness.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <utility>

#include "ops/arena.hpp"
#include "ops/planned.hpp"

namespace oncilla::test {
namespace {

// Under the outputs of the first and the second run: NaN or -1, and a large number; or zero, and another large number.
struct Poison {
  std::byte first, second;
};
Poison poison_of(const Case& c) {
  return c.other_poison ? Poison{std::byte{0}, std::byte{0x7B}} : Poison{std::byte{0xFF}, std::byte{0x5A}};
}

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

}  // namespace

Bench::Bench(std::shared_ptr<Backend> backend, uint32_t index, const char* tuning_file)
    : device_(Device::open(std::move(backend), index, nullptr, tuning_file)), queue_(device_->create_queue()) {
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
  if (got == expected) return "";
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
    variants = plan.candidates();
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
    if (!choice.variant.empty() && variant != choice.variant.substr(0, choice.variant.find(':'))) continue;
    double worst = 0;
    try {
      const Description description(c, false, choice.variant.empty() ? variant : choice.variant);
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
