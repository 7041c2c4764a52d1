#include "core/joined.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include "core/op.hpp"
#include "core/trace.hpp"

namespace oncilla {
namespace {

// What a kernel may hold in registers, and a launch in its table.
constexpr size_t kMostInstructions = 96, kMostLists = 20;
constexpr int64_t kOne = 1;

bool same_place(const ForeachList& a, const ForeachList& b) {
  const auto same = [](const onc_arg& x, const onc_arg& y) { return x.buffer == y.buffer && x.offset == y.offset; };
  return a.dtype == b.dtype && a.one == b.one && std::equal(a.at.begin(), a.at.end(), b.at.begin(), b.at.end(), same);
}

// Index of the list that lies where this one does, or -1.
int find(const std::vector<ForeachList>& lists, const ForeachList& list) {
  for (size_t i = 0; i < lists.size(); ++i) {
    if (same_place(lists[i], list)) return static_cast<int>(i);
  }
  return -1;
}

uint64_t bytes_of(uint32_t dtype) {
  switch (dtype) {
#define ONC_DTYPE(number, NAME, name, bytes, ...) \
  case number:                                    \
    return bytes;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      return 0;
  }
}

using Range = Joined::Range;
using Ranges = Joined::Ranges;

Ranges ranges_of(const ForeachList& list, std::span<const int64_t> numels) {
  Ranges ranges;
  ranges.reserve(list.at.size());
  for (size_t t = 0; t < list.at.size(); ++t) {
    const uint64_t bytes = static_cast<uint64_t>(list.one ? 1 : numels[t]) * bytes_of(list.dtype), begin = list.at[t].offset;
    ranges.push_back({list.at[t].buffer, begin, begin + bytes});
  }
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return a.buffer != b.buffer ? std::less<>()(a.buffer, b.buffer) : a.begin < b.begin;
  });
  return ranges;
}

// What is passed over ends before anything begins that is still to come on the other side.
bool overlap(const Ranges& a, const Ranges& b) {
  const auto before = [](const Range& x, const Range& y) {
    return x.buffer != y.buffer ? std::less<>()(x.buffer, y.buffer) : x.end <= y.begin;
  };
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (before(a[i], b[j])) {
      ++i;
    } else if (before(b[j], a[i])) {
      ++j;
    } else {
      return true;
    }
  }
  return false;
}

// Whether it overlaps one of the lists, but for number `but`.
bool touches(const Ranges& ranges, const std::vector<Ranges>& lists, int but) {
  for (size_t i = 0; i < lists.size(); ++i) {
    if (static_cast<int>(i) != but && overlap(ranges, lists[i])) return true;
  }
  return false;
}

}  // namespace

void ForeachCall::run(Queue& queue) const {
  Op op(ONC_OP_FOREACH);
  const auto refs = [&](const ForeachList& list, auto add) {
    for (size_t t = 0; t < list.at.size(); ++t) {
      const int64_t* numel = list.one ? &kOne : &numels[t];
      add(TensorRef{list.at[t], list.dtype, {numel, 1}, {&kOne, 1}});
    }
  };
  for (const ForeachList& list : in) refs(list, [&](const TensorRef& ref) { op.in(ref); });
  for (const ForeachList& list : out) refs(list, [&](const TensorRef& ref) { op.out(ref); });
  op.foreach (tape, static_cast<uint32_t>(numels.size()), static_cast<uint32_t>(in.size()), static_cast<uint32_t>(out.size()));
  for (const onc_scalar& value : scalars) op.scalar(value);
  for (size_t t = 0; t < numels.size(); ++t) {
    for (const auto& values_of : tensor_scalars) op.scalar(values_of[t]);
  }
  op.run_at_once(queue);
}

std::optional<Joined::Places> Joined::places(const ForeachCall& call) {
  const auto& insts = call.tape.insts();
  if (call.numels.empty() || insts.size() > kMostInstructions || call.in.size() + call.out.size() > kMostLists) return {};
  const auto exact = [](const ForeachList& list) { return compute_dtype(list.dtype) == list.dtype; };
  if (!std::all_of(call.in.begin(), call.in.end(), exact) || !std::all_of(call.out.begin(), call.out.end(), exact)) return {};
  if (!call.tape.can_splice()) return {};
  Places places;
  for (const ForeachList& list : call.in) places.in.push_back(ranges_of(list, call.numels));
  for (const ForeachList& list : call.out) places.out.push_back(ranges_of(list, call.numels));
  for (size_t j = 0; j < call.out.size(); ++j) {
    if (insts[call.tape.outs()[j]].dtype != call.out[j].dtype) return {};
    const auto apart = [&](const std::vector<ForeachList>& lists, const std::vector<Ranges>& ranges) {
      for (size_t i = 0; i < lists.size(); ++i) {
        if (!same_place(lists[i], call.out[j]) && overlap(ranges[i], places.out[j])) return false;
      }
      return true;
    };
    if (!apart(call.in, places.in) || !apart(call.out, places.out)) return {};
  }
  return places;
}

Joined::Joined(ForeachCall first, Places places) : first_(first.tape) {
  call_.numels = first.numels;
  const std::vector<ForeachList> in = first.in, out = first.out;
  std::vector<Value> inputs;
  for (size_t l = 0; l < first.in.size(); ++l) inputs.push_back(read(first.in[l], places.in[l]));
  append(first, places, inputs);
  for (const ForeachList& list : in) first_in_.push_back(static_cast<size_t>(find(call_.in, list)));
  for (const ForeachList& list : out) first_out_.push_back(static_cast<size_t>(find(call_.out, list)));
}

bool Joined::again(const ForeachCall& next) const {
  if (!next.tape.same(first_)) return false;
  const auto same = [](const std::vector<ForeachList>& a, const std::vector<size_t>& numbers, const std::vector<ForeachList>& b) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (!same_place(a[i], b[numbers[i]])) return false;
    }
    return true;
  };
  return next.in.size() == first_in_.size() && next.out.size() == first_out_.size() && same(next.in, first_in_, call_.in) &&
         same(next.out, first_out_, call_.out);
}

bool Joined::take(ForeachCall& next, Places& places) {
  if (next.numels != call_.numels || again(next)) return false;
  if (call_.tape.insts().size() + next.tape.insts().size() > kMostInstructions) return false;
  if (call_.in.size() + call_.out.size() + next.in.size() + next.out.size() > kMostLists) return false;
  for (size_t l = 0; l < next.in.size(); ++l) {
    if (touches(places.in[l], places_.out, find(call_.out, next.in[l]))) return false;
  }
  for (size_t j = 0; j < next.out.size(); ++j) {
    if (touches(places.out[j], places_.out, find(call_.out, next.out[j])) ||
        touches(places.out[j], places_.in, find(call_.in, next.out[j])))
      return false;
  }
  std::vector<Value> inputs;
  for (size_t l = 0; l < next.in.size(); ++l) inputs.push_back(read(next.in[l], places.in[l]));
  append(next, places, inputs);
  return true;
}

// The list's value at this point: as it was written, as it was read, or read now.
Value Joined::read(ForeachList& list, Ranges& range) {
  const auto dtype = static_cast<uint16_t>(list.dtype);
  if (const int written = find(call_.out, list); written >= 0) return {&call_.tape, results_[static_cast<size_t>(written)], dtype};
  if (const int before = find(call_.in, list); before >= 0) return {&call_.tape, values_[static_cast<size_t>(before)], dtype};
  const Value value = call_.tape.input(list.dtype);
  values_.push_back(value.number);
  call_.in.push_back(std::move(list));
  places_.in.push_back(std::move(range));
  return value;
}

void Joined::append(ForeachCall& next, Places& places, std::span<const Value> inputs) {
  tag_ = Trace::tag();
  const std::vector<Value> made = call_.tape.splice(next.tape, inputs);
  call_.scalars.insert(call_.scalars.end(), next.scalars.begin(), next.scalars.end());
  for (auto& values : next.tensor_scalars) call_.tensor_scalars.push_back(std::move(values));
  for (size_t j = 0; j < next.out.size(); ++j) {
    ForeachList& list = next.out[j];
    if (const int written = find(call_.out, list); written >= 0) {
      results_[static_cast<size_t>(written)] = made[j].number;
    } else {
      results_.push_back(made[j].number);
      call_.out.push_back(std::move(list));
      places_.out.push_back(std::move(places.out[j]));
    }
  }
}

void Joined::run(Queue& queue) {
  call_.tape.set_outputs(results_);
  const auto restore = [before = Trace::set_tag(tag_)](const Joined*) { Trace::set_tag(before); };
  const std::unique_ptr<Joined, decltype(restore)> at_end(this, restore);
  call_.run(queue);
}

}  // namespace oncilla
