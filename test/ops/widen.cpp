// What may be changed about a case without making another op of it.
#include "ops/widen.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace oncilla::test {
namespace {

constexpr std::array kLayouts = {Layout::contiguous, Layout::padded,  Layout::strided,
                                 Layout::reversed,   Layout::swapped, Layout::channels_last};

// Strides as they matter: those of dims of size 1 do not.
Dims effective_strides(const Tensor& t, Layout layout) {
  Dims strides = layout_strides(t.dims, layout, t.broadcast);
  for (size_t d = 0; d < strides.size(); ++d) {
    if (t.dims[d] == 1) strides[d] = 0;
  }
  return strides;
}

// Ops and inputs that ops.def and attrs.h want contiguous.
bool has_free_layout(const Case& c, bool input, size_t i) {
  if (c.op == ONC_OP_FOREACH || c.op == ONC_OP_FOREACH_NORM) return false;
  return !input || std::none_of(c.insts.begin(), c.insts.end(),
                                [&](const onc_expr_inst& inst) { return inst.op == ONC_EX_GATHER && inst.a == i; });
}

class Widening {
 public:
  Widening(Cases& cases, const Case& origin) : cases_(cases), origin_(origin), turn_(hash(origin.name.c_str())) {}

  void derive() {
    for (int64_t offset : {1, 3}) {
      Case c = derived("offset " + std::to_string(offset));
      c.offset = offset;
      c.other_poison = offset == 1;
      cases_.push_back(std::move(c));
    }
    if (origin_.aliases.empty()) {
      lay_out(true, false);
      lay_out(false, true);
      lay_out(true, true);
    }
    if (is_drawn()) {
      redraw("seed 2", std::nullopt);
      if (has_free_values()) redraw("small integers", Domain::small_int);
    }
  }

 private:
  Case derived(const std::string& what) const {
    Case c = origin_;
    c.name += " ~ " + what;
    c.level = Level::full;
    return c;
  }

  // Other layouts of the inputs, the outputs or both, taking turns through those that change something.
  void lay_out(bool inputs, bool outputs) {
    Case c = derived("");
    std::string what;
    const auto change = [&](std::vector<Tensor>& side, bool input) {
      const char* first = nullptr;
      for (size_t i = 0; i < side.size(); ++i) {
        if (side[i].dtype == 0 || side[i].numel() < 2 || !has_free_layout(c, input, i)) continue;
        const auto layout = other_layout(side[i]);
        if (!layout) continue;
        side[i].layout = *layout;
        if (!first) first = layout_name(*layout);
      }
      if (first) what += (what.empty() ? "" : ", ") + std::string(input ? "in " : "out ") + first;
    };
    if (inputs) change(c.in, true);
    if (outputs) change(c.out, false);
    if (what.empty() || (inputs && outputs && what.find(", ") == std::string::npos)) return;
    c.name += what;
    cases_.push_back(std::move(c));
  }

  std::optional<Layout> other_layout(const Tensor& t) {
    const Dims now = effective_strides(t, t.layout);
    for (size_t k = 0; k < kLayouts.size(); ++k) {
      const Layout layout = kLayouts[turn_++ % kLayouts.size()];
      if (effective_strides(t, layout) != now) return layout;
    }
    return std::nullopt;
  }

  // Whether another name draws other values.
  bool is_drawn() const {
    const auto drawn = [](const Tensor& t) { return t.dtype != 0 && t.numel() > 0 && t.fill.domain != Domain::list; };
    return origin_.known.empty() && (std::any_of(origin_.in.begin(), origin_.in.end(), drawn));
  }

  // Whether any values will do: nothing was said of them, and no forward feeds them.
  bool has_free_values() const {
    return !origin_.forward && origin_.op != ONC_OP_EXPR && origin_.op != ONC_OP_FOREACH &&
           std::all_of(origin_.in.begin(), origin_.in.end(),
                       [](const Tensor& t) { return t.dtype == 0 || !is_float(t.dtype) || t.fill.domain == Domain::any; }) &&
           std::any_of(origin_.in.begin(), origin_.in.end(), [](const Tensor& t) { return t.dtype != 0 && is_float(t.dtype); });
  }

  void redraw(const std::string& what, std::optional<Domain> domain) {
    Case c = derived(what);
    if (c.forward) {
      auto forward = std::make_shared<Case>(*c.forward);
      forward->name += " ~ " + what;
      c.forward = forward;
    }
    for (Tensor& t : c.in) {
      if (domain && t.dtype != 0 && is_float(t.dtype)) t.fill = *domain;
    }
    cases_.push_back(std::move(c));
  }

  Cases& cases_;
  const Case& origin_;
  uint64_t turn_;
};

}  // namespace

void widen(Cases& cases) {
  Cases derived;
  for (const Case& c : cases) {
    const auto elements = [](const Tensor& t) { return t.dtype != 0 && t.numel() > 0; };
    const bool empty = std::none_of(c.in.begin(), c.in.end(), elements) && std::none_of(c.out.begin(), c.out.end(), elements);
    if (c.gradient_only || empty) continue;
    Widening(derived, c).derive();
  }
  cases.insert(cases.end(), std::make_move_iterator(derived.begin()), std::make_move_iterator(derived.end()));
}

}  // namespace oncilla::test
