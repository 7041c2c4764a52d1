#include "expr/reductions.hpp"

#include "expr/types.hpp"

namespace oncilla::ocl {

namespace {

using kit::cat;

bool floating(uint32_t dtype) { return kit::dtype_kind(dtype) == 'f'; }

}  // namespace

bool Reduction::position() const { return op == ONC_EX_REDUCE_ARGMIN || op == ONC_EX_REDUCE_ARGMAX; }
bool Reduction::summed() const { return op == ONC_EX_REDUCE_SUM && floating(dtype); }

std::string Reduction::type(int width) const {
  // Sums and products of integers wrap, which only unsigned types promise.
  const bool wraps = !floating(dtype) && (op == ONC_EX_REDUCE_SUM || op == ONC_EX_REDUCE_PROD);
  return vector_type(cat(wraps ? "u" : "", value_scalar(dtype)), width);
}

std::string Reduction::second_type(const std::string& index, int width) const {
  return position() ? vector_type(index, width) : type(width);
}

std::string Reduction::initial(int width) const { return identity(width); }

std::string Reduction::second_initial(const std::string& index, int width) const {
  // Behind every position.
  const std::string zero = position() ? (index == "long" ? "LONG_MAX" : "INT_MAX") : "0";
  return cat("(", second_type(index, width), ")(", zero, ")");
}

std::string Reduction::identity(int width) const {
  std::string value = "0";
  switch (op) {
    case ONC_EX_REDUCE_PROD:
      value = "1";
      break;
    case ONC_EX_REDUCE_ALL:
      value = width == 1 ? "1" : "-1";
      break;
    case ONC_EX_REDUCE_MIN:
    case ONC_EX_REDUCE_ARGMIN:
      value = floating(dtype) ? "INFINITY" : dtype == ONC_I64 ? "LONG_MAX" : "INT_MAX";
      break;
    case ONC_EX_REDUCE_MAX:
    case ONC_EX_REDUCE_ARGMAX:
      value = floating(dtype) ? "-INFINITY" : dtype == ONC_I64 ? "LONG_MIN" : "INT_MIN";
      break;
    default:
      break;
  }
  return cat("(", type(width), ")(", value, ")");
}

std::string Reduction::enter(const std::string& x, int width) const {
  const std::string own = value_type(dtype, width), state = type(width);
  return own == state ? x : cat("as_", state, "(", x, ")");
}

std::string Reduction::leave(const std::string& a, const std::string& b, int width) const {
  // Infinity minus infinity makes the lost part NaN, while the sum itself is right.
  if (summed()) return cat("SEL(", a, " + ", b, " == ", a, " + ", b, ", ", a, " + ", b, ", ", a, ")");
  if (position()) return cat("convert_", vector_type("long", width), "(", b, ")");
  const std::string own = value_type(dtype, width), state = type(width);
  return own == state ? a : cat("as_", own, "(", a, ")");
}

std::string Reduction::merge(const std::string& a, const std::string& b, const std::string& x, const std::string& y,
                             const std::string& index, int width) const {
  const std::string t = type(width);
  const auto set = [&](const std::string& condition) { return cat(a, " = SEL(", condition, ", ", x, ", ", a, ");"); };
  const bool may_be_nan = floating(dtype);
  switch (op) {
    case ONC_EX_REDUCE_SUM:
      if (!summed()) return cat(a, " += ", x, ";");
      // Knuth's exact sum of two: t + lost == a + x.
      return cat("{ const ", t, " t = ", a, " + ", x, ", z = t - ", a, "; ", b, " += (", a, " - (t - z)) + (", x, " - z)",
                 y.empty() ? "" : " + " + y, "; ", a, " = t; }");
    case ONC_EX_REDUCE_PROD:
      return cat(a, " *= ", x, ";");
    case ONC_EX_REDUCE_ANY:
      return cat(a, " |= ", x, ";");
    case ONC_EX_REDUCE_ALL:
      return cat(a, " &= ", x, ";");
    case ONC_EX_REDUCE_MIN:
      return set(cat("(", x, " < ", a, ")", may_be_nan ? cat(" | (", x, " != ", x, ")") : ""));
    case ONC_EX_REDUCE_MAX:
      return set(cat("(", x, " > ", a, ")", may_be_nan ? cat(" | (", x, " != ", x, ")") : ""));
    default:
      break;
  }
  // Better is: a NaN where there is none yet; a greater (smaller) value; of equals, NaNs among themselves too, the earlier
  // position.
  const char* order = op == ONC_EX_REDUCE_ARGMAX ? " > " : " < ";
  const bool wide = dtype == ONC_F64 || dtype == ONC_I64, wide_index = index == "long";
  // The masks of values and of positions have the size of their lanes.
  std::string earlier = cat("(", y, " < ", b, ")");
  const auto resized = [&](const std::string& mask, bool to_wide) {
    return to_wide ? select_mask(mask, ONC_I64, width) : cat("convert_", vector_type("int", width), "(", mask, ")");
  };
  if (width > 1 && wide != wide_index) earlier = resized(earlier, wide);
  std::string better = cat("(", x, order, a, ") | ((", x, " == ", a, ") & ", earlier, ")");
  if (may_be_nan) {
    // No comparison with a NaN holds but !=.
    better += cat(" | ((", x, " != ", x, ") & ((", a, " == ", a, ") | ", earlier, "))");
  }
  const std::string mask = vector_type(wide && width > 1 ? "long" : "int", width);
  std::string index_mask = "better";
  if (width > 1 && wide != wide_index) index_mask = resized("better", wide_index);
  return cat("{ const ", mask, " better = ", better, "; ", a, " = SEL(better, ", x, ", ", a, "); ", b, " = SEL(", index_mask, ", ",
             y, ", ", b, "); }");
}

}  // namespace oncilla::ocl
