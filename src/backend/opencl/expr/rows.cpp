#include "expr/rows.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <utility>

#include "expr/types.hpp"

namespace oncilla::ocl {

namespace {

using kit::cat;

struct Row {
  const char *name, *result;
  std::string floating, integer;
  int arity;
};

Row table_row(uint32_t op) {
  switch (op) {
#define ONC_EW(number, NAME, name, arity, result, F, I, ...) \
  case number:                                               \
    return {#name, #result, #F, #I, arity};
#include "oncilla/elementwise.def"
#undef ONC_EW
    default:
      throw kit::Error(ONC_INTERNAL, cat("[expr] opcode ", op, " is no row"));
  }
}

// Functions of float32 that lib/special computes instead of the library, which goes lane by lane in pocl 3.1, or in sin, cos and
// tan of its float16 lets a huge lane spoil small ones. One function at every width, so that equal operands have equal results.
Row row(uint32_t op, uint32_t dtype) {
  Row r = table_row(op);
  if (dtype != ONC_F32) return r;
  static constexpr std::pair<std::string_view, const char*> kOwn[] = {
      {"sin(", "onc_trig_"}, {"cos(", "onc_trig_"}, {"tan(", "onc_trig_"}, {"erf(", "onc_error_"}};
  for (const auto& [call, prefix] : kOwn) {
    for (size_t at = r.floating.find(call); at != std::string::npos; at = r.floating.find(call, at + 1)) {
      const char before = at == 0 ? ' ' : r.floating[at - 1];
      if (before == '_' || std::isalnum(static_cast<unsigned char>(before)) != 0) continue;
      r.floating.insert(at, prefix);
      at += std::string_view(prefix).size();
    }
  }
  return r;
}

std::string parameters(const std::string& type, int arity) {
  std::string text;
  for (int k = 0; k < arity; ++k) text += cat(k == 0 ? "" : ", ", type, " ", "abc"[k]);
  return text;
}

// The macros that a column is written in, around it.
std::string with_macros(const std::string& type, const std::string& unsigned_type, bool single, const std::string& body) {
  const char* constant = single ? "((T)(x##f))" : "((T)(x))";
  return cat("#define T ", type, "\n#define UT ", unsigned_type, "\n#define C(x) ", constant, "\n", body,
             "#undef T\n#undef UT\n#undef C\n");
}

// The names in a column that begin with onc_.
std::set<std::string> helpers_of(const std::string& column) {
  std::set<std::string> names;
  for (size_t at = column.find("onc_"); at != std::string::npos; at = column.find("onc_", at + 1)) {
    size_t end = at;
    while (end < column.size() && (std::isalnum(static_cast<unsigned char>(column[end])) != 0 || column[end] == '_')) ++end;
    names.insert(column.substr(at, end - at));
  }
  return names;
}

// The file of lib/special that a helper is in: onc_gamma_digamma is in gamma.h. "" for those of lib/elementwise.h.
std::string special_file(const std::string& helper) {
  if (helper.starts_with("onc_remainder") || helper.starts_with("onc_floor_div")) return "";
  return helper.substr(4, helper.find('_', 4) - 4);
}

// Whether a column calls a function of lib/special that is written for scalars: its vectors go lane by lane, of float32 too.
bool one_by_one(const std::string& column) {
  static const std::set<std::string> vectors = {"", "repro", "trig", "error"};
  const std::set<std::string> called = helpers_of(column);
  return std::any_of(called.begin(), called.end(),
                     [](const std::string& helper) { return !vectors.contains(special_file(helper)); });
}

// Helpers that columns call exist for each type under its name (lib/elementwise.h, lib/special).
std::string helpers(const std::string& expression, const std::string& type) {
  std::string text;
  for (const std::string& helper : helpers_of(expression))
    text += cat("#undef ", helper, "\n#define ", helper, " ", helper, "_", type, "\n");
  return text;
}

// A file of lib/special for one type, which is what its macros stand for. The sums over tables stand once for each type.
std::string special_text(const std::string& file, uint32_t dtype, int width) {
  const auto define = [](const std::string& macro, const std::string& body) { return cat("#define ", macro, " ", body, "\n"); };
  const auto include = [](const std::string& name) { return cat("#include \"lib/special/", name, ".h\"\n"); };
  const std::string type = value_type(dtype, width);
  std::string text = define("T", type) + define("FN(name)", "name##_" + type);
  if (kit::dtype_kind(dtype) != 'f') return cat(text, define("UT", "u" + type), include(file), "#undef T\n#undef FN\n#undef UT\n");
  const bool wide = dtype == ONC_F64;
  const std::string integer = vector_type(wide ? "long" : "int", width);
  text += define("LANES", std::to_string(width)) + define("IT", integer) + define("MANTISSA", wide ? "52" : "23") +
          define("C(x)", wide ? "((T)(x))" : "((T)(x##f))");
  text += define("TO_IT(x)", cat("convert_", integer, "(x)")) + define("TO_T(x)", cat("convert_", type, "(x)"));
  text += define("AS_IT(x)", cat("as_", integer, "(x)")) + define("AS_T(x)", cat("as_", type, "(x)"));
  if (width == 1) text += cat("#ifndef ONC_SERIES_", type, "\n#define ONC_SERIES_", type, "\n", include("series"), "#endif\n");
  text += include(file);
  for (const char* macro : {"T", "FN", "LANES", "IT", "MANTISSA", "C", "TO_IT", "TO_T", "AS_IT", "AS_T"})
    text += cat("#undef ", macro, "\n");
  return text;
}

std::string floating_row(const Row& r, uint32_t op, uint32_t dtype, int width) {
  const std::string type = value_type(dtype, width);
  const bool boolean = std::string(r.result) == "boolean";
  const std::string result = boolean ? value_type(ONC_BOOL, width) : type;
  std::string value = r.floating;
  if (boolean && width > 1 && dtype == ONC_F64) value = cat("convert_", result, "(", value, ")");
  return with_macros(type, "uint", dtype == ONC_F32,
                     cat(helpers(r.floating, type), "static inline ", result, " ", row_name(op, dtype, width), "(",
                         parameters(type, r.arity), ") { return ", value, "; }\n"));
}

std::string integer_row(const Row& r, uint32_t op, uint32_t dtype) {
  const std::string type = value_scalar(dtype), result = std::string(r.result) == "boolean" ? "int" : type;
  return with_macros(type, "u" + type, false,
                     cat(helpers(r.integer, type), "static inline ", result, " ", row_name(op, dtype, 1), "(",
                         parameters(type, r.arity), ") { return ", r.integer, "; }\n"));
}

std::string lanes_row(const Row& r, uint32_t op, uint32_t dtype, int width) {
  const bool boolean = std::string(r.result) == "boolean";
  const std::string result = value_type(boolean ? static_cast<uint32_t>(ONC_BOOL) : dtype, width);
  const std::string head =
      cat("static inline ", result, " ", row_name(op, dtype, width), "(", parameters(value_type(dtype, width), r.arity), ") { ");
  if (one_by_one(r.floating)) {  // in a loop, so that a long function stands there once
    const std::string scalar = value_type(dtype, 1);
    std::string arguments;
    for (int k = 0; k < r.arity; ++k) arguments += cat(k == 0 ? "" : ", ", "((", scalar, " *)&", "abc"[k], ")[l]");
    return cat(head, result, " r; for (int l = 0; l < ", width, "; ++l) ((", value_type(boolean ? uint32_t{ONC_BOOL} : dtype, 1),
               " *)&r)[l] = ", boolean ? "-" : "", row_name(op, dtype, 1), "(", arguments, "); return r; }\n");
  }
  std::string lanes;
  for (int lane = 0; lane < width; ++lane) {
    std::string arguments;
    for (int k = 0; k < r.arity; ++k) arguments += cat(k == 0 ? "" : ", ", "abc"[k], ".s", "0123456789abcdef"[lane]);
    lanes += cat(lane == 0 ? "" : ", ", boolean ? "-" : "", row_name(op, dtype, 1), "(", arguments, ")");
  }
  return cat(head, "return (", result, ")(", lanes, "); }\n");
}

// BOOL lanes are masks, for which the comparisons, logic and bit rows that take BOOL are right as they stand.
std::string bool_row(const Row& r, uint32_t op, int width) {
  const std::string type = value_type(ONC_BOOL, width);
  return with_macros(type, type, false,
                     cat("static inline ", type, " ", row_name(op, ONC_BOOL, width), "(", parameters(type, r.arity), ") { return ",
                         r.integer, "; }\n"));
}

// Whether a column calls functions beyond those that are one instruction.
bool calls_library(const std::string& column) {
  static const std::set<std::string> instructions = {"C",    "SEL",   "fabs", "fmin",  "fmax", "fma",
                                                     "sqrt", "floor", "ceil", "trunc", "rint"};
  std::string name;
  for (char c : column) {
    if (c == '(' && !name.empty() && !instructions.contains(name)) return true;
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    name = letter ? name + c : "";
  }
  return false;
}

}  // namespace

std::string row_name(uint32_t op, uint32_t dtype, int width) {
  return cat("ew_", table_row(op).name, "_", value_type(dtype, width), dtype == ONC_BOOL ? "_bool" : "");
}

std::string row_helper(uint32_t op, uint32_t dtype, int width) {
  const Row r = row(op, dtype);
  const bool floating = kit::dtype_kind(dtype) == 'f';
  const std::string column = floating ? r.floating : r.integer;
  std::string text;
  for (const std::string& helper : helpers_of(column)) {
    const std::string file = special_file(helper);
    if (!file.empty()) return special_text(file, dtype, width);
    text = floating ? cat("ONC_FLOATING(", value_type(dtype, width), ")\n") : cat("ONC_INTEGER(", value_scalar(dtype), ")\n");
  }
  return text;
}

bool by_lanes(uint32_t op, uint32_t dtype, int width) {
  if (width == 1 || dtype == ONC_BOOL) return false;
  const Row r = row(op, dtype);
  return kit::dtype_kind(dtype) != 'f' || one_by_one(r.floating) || (dtype == ONC_F64 && calls_library(r.floating));
}

bool is_long(uint32_t op, uint32_t dtype) {
  if (dtype == ONC_BOOL) return false;
  return kit::dtype_kind(dtype) != 'f' || calls_library(row(op, dtype).floating) || one_by_one(row(op, dtype).floating);
}

std::string row_text(uint32_t op, uint32_t dtype, int width) {
  const Row r = row(op, dtype);
  if (dtype == ONC_BOOL) return bool_row(r, op, width);
  if (by_lanes(op, dtype, width)) return lanes_row(r, op, dtype, width);
  return kit::dtype_kind(dtype) == 'f' ? floating_row(r, op, dtype, width) : integer_row(r, op, dtype);
}

}  // namespace oncilla::ocl
