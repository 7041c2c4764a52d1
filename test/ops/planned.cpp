// Descriptors and plans of cases.
#include "ops/planned.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <sstream>

namespace oncilla::test {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Description::Description(const Case& c, bool dense, const std::string& variant) : variant_(variant) {
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

void Description::add(const Tensor& t, bool dense, std::vector<const onc_tensor_desc*>& side) {
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

const void* Description::attributes(const Case& c) {
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
const void* Description::with_epilogue(A& attrs, const Case& c) {
  if (!c.attrs.empty()) std::memcpy(&attrs, c.attrs.data(), std::min(sizeof attrs, c.attrs.size()));
  attrs.size = sizeof attrs;
  attrs.flags |= ONC_ATTRS_EPILOGUE;
  attrs.epilogue = &epilogue_;
  return &attrs;
}

PlanHandle::PlanHandle(Bench& bench, const Description& description) : bench_(bench) {
  bench.api().check(bench.api().plan_create(bench.device().handle(), description.get(), &plan_));
  info_.size = sizeof info_;
  try {
    bench.api().check(bench.api().plan_info(plan_, &info_));
  } catch (...) {
    bench.api().plan_free(plan_);
    throw;
  }
}

std::vector<std::string> PlanHandle::candidates() const {
  std::istringstream in(info_.candidates ? info_.candidates : "");
  std::vector<std::string> names;
  for (std::string name; in >> name;) names.push_back(name);
  return names;
}

void PlanHandle::enqueue(const Case& c, const std::vector<onc_arg>& args, size_t n_args, onc_arg workspace) {
  onc_run run{};
  run.size = sizeof run;
  run.args = args.data();
  run.n_args = static_cast<uint32_t>(n_args);
  run.scalars = c.scalars.data();
  run.n_scalars = static_cast<uint32_t>(c.scalars.size());
  run.workspace = workspace;
  bench_.api().check(bench_.api().plan_run(plan_, bench_.queue().handle(), &run));
}

std::vector<std::byte> PlanHandle::run(const Case& c, const ArenaImage& image) {
  const onc_arg arena = bench_.arena(image.before().size());
  bench_.queue().copy_h2d(arena, image.before().data(), image.before().size());
  const std::vector<onc_arg> args = image.args(arena);
  enqueue(c, args, args.size(), image.workspace(arena));
  bench_.queue().finish();
  std::vector<std::byte> after(image.before().size());
  bench_.queue().copy_d2h(after.data(), arena, after.size());
  return after;
}

std::vector<std::byte> PlanHandle::run_separate(const Case& c, const ArenaImage& image) {
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
  enqueue(c, args, parts.size() - 1, args.back());
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

double PlanHandle::time(const Case& c, const ArenaImage& image, size_t count) {
  const onc_arg arena = bench_.arena(image.before().size());
  bench_.queue().copy_h2d(arena, image.before().data(), image.before().size());
  const std::vector<onc_arg> args = image.args(arena);
  enqueue(c, args, args.size(), image.workspace(arena));
  bench_.queue().finish();
  const double begin = now();
  for (size_t i = 0; i < count; ++i) enqueue(c, args, args.size(), image.workspace(arena));
  bench_.queue().finish();
  return now() - begin;
}

}  // namespace oncilla::test
