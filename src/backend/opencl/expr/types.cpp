#include "expr/types.hpp"

#include <cmath>
#include <cstdio>

namespace oncilla::ocl {

namespace {

using kit::cat;

bool floating(uint32_t dtype) { return kit::dtype_kind(dtype) == 'f'; }

// What an integer cannot hold becomes the least one, NaN too, as the conversion of x86 has it and so the frameworks on it; OpenCL
// leaves it open.
std::string bounded(const std::string& x, const std::string& from, const std::string& to, int width) {
  const std::string least = cat(to == "int" ? "-0x1p31" : "-0x1p63", from == "float" ? "f" : "");
  return cat("ONC_BOUNDED(", x, ", ", width == 1 ? cat("(", least, ")") : cat("((", vector_type(from, width), ")(", least, "))"),
             ")");
}

std::string convert(const std::string& x, const std::string& from, const std::string& to, int width) {
  if (from == to) return x;
  const bool to_integer = (from == "float" || from == "double") && (to == "int" || to == "long");
  return cat("convert_", vector_type(to, width), "(", to_integer ? bounded(x, from, to, width) : x, ")");
}

// x != 0 as a BOOL value. Lanes of another size than int give masks of that size.
std::string truth(const std::string& x, const std::string& type, int width) {
  if (width == 1) return cat("(", x, " != 0)");
  // The 0 has the vector's type: next to narrow lanes an int is refused.
  const std::string mask = cat("(", x, " != (", vector_type(type, width), ")(0))");
  const bool same_size = type == "float" || type == "int";
  return same_size ? mask : cat("convert_", vector_type("int", width), mask);
}

}  // namespace

std::string vector_type(const std::string& scalar, int width) { return width == 1 ? scalar : cat(scalar, width); }

const char* value_scalar(uint32_t dtype) {
  switch (dtype) {
    case ONC_F32:
      return "float";
    case ONC_F64:
      return "double";
    case ONC_I64:
      return "long";
    default:
      return "int";
  }
}

std::string value_type(uint32_t dtype, int width) { return vector_type(value_scalar(dtype), width); }

const char* storage_scalar(uint32_t dtype) {
  switch (dtype) {
#define ONC_DTYPE(number, NAME, name, bytes, kind, type) \
  case ONC_##NAME:                                       \
    return #type;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      throw kit::Error(ONC_INTERNAL, cat("[expr] storage of dtype ", dtype));
  }
}

const char* loaded_scalar(uint32_t dtype) { return dtype == ONC_F16 ? "float" : storage_scalar(dtype); }

const char* storage_bits(uint32_t dtype) { return dtype == ONC_F16 ? "ushort" : storage_scalar(dtype); }

std::string from_storage(const std::string& x, uint32_t storage, uint32_t dtype, int width) {
  std::string loaded = x, type = loaded_scalar(storage);
  if (storage == ONC_BF16) {
    loaded = cat("as_", vector_type("float", width), "(convert_", vector_type("uint", width), "(", x, ") << 16)");
    type = "float";
  }
  return dtype == ONC_BOOL ? truth(loaded, type, width) : convert(loaded, type, value_scalar(dtype), width);
}

std::string to_storage(const std::string& x, uint32_t dtype, uint32_t storage, int width) {
  if (storage == ONC_BOOL) {
    const std::string bit = dtype == ONC_BOOL ? x : truth(x, value_scalar(dtype), width);
    return cat("convert_", vector_type("uchar", width), "(", bit, " & 1)");
  }
  const std::string number = dtype == ONC_BOOL ? cat("(", x, " & 1)") : x;
  const std::string type = value_scalar(dtype);
  // A double rounds twice, as PyTorch has it.
  if (storage == ONC_F16) return convert(number, type, "float", width);
  if (storage == ONC_BF16) return cat("onc_bf16_", width, "(", convert(number, type, "float", width), ")");
  // A float becomes a narrow integer by way of int, as C has it on the hosts that one compares with: negative ones wrap.
  if (floating(dtype) && !floating(storage) && storage != ONC_I64) {
    return convert(convert(number, type, "int", width), "int", storage_scalar(storage), width);
  }
  return convert(number, type, storage_scalar(storage), width);
}

std::string cast_value(const std::string& x, uint32_t from, uint32_t to, int width) {
  if (from == to) return x;
  if (to == ONC_BOOL) return truth(x, value_scalar(from), width);
  return convert(from == ONC_BOOL ? cat("(", x, " & 1)") : x, value_scalar(from), value_scalar(to), width);
}

std::string broadcast(const std::string& x, uint32_t dtype, int width) {
  if (width == 1) return x;
  return dtype == ONC_BOOL ? cat("(", value_type(dtype, width), ")(-(int)(", x, "))")
                           : cat("(", value_type(dtype, width), ")(", x, ")");
}

std::string literal(const onc_scalar& value, uint32_t dtype) {
  char text[64];
  switch (dtype) {
    case ONC_I32:
      std::snprintf(text, sizeof text, "(int)(%lldL)", static_cast<long long>(value.i));
      return text;
    case ONC_BOOL:
      return value.i != 0 ? "1" : "0";
    case ONC_I64:
      // The most negative number has no literal of its own.
      if (value.i == INT64_MIN) return "LONG_MIN";
      std::snprintf(text, sizeof text, "(%lldL)", static_cast<long long>(value.i));
      return text;
    default:
      break;
  }
  const bool single = dtype == ONC_F32;
  const double number = single ? static_cast<double>(static_cast<float>(value.f)) : value.f;
  if (std::isnan(number)) return single ? "NAN" : "((double)NAN)";
  if (std::isinf(number)) return cat(number < 0 ? "-" : "", single ? "INFINITY" : "((double)INFINITY)");
  std::snprintf(text, sizeof text, single ? "%.9g" : "%.17g", number);
  std::string digits = text;
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return cat("(", digits, single ? "f)" : ")");
}

std::string select_mask(const std::string& mask, uint32_t dtype, int width) {
  const bool wide = dtype == ONC_F64 || dtype == ONC_I64;
  if (width == 1 || !wide) return mask;
  // Compared with 0 because rusticl 22.3 takes the sign of a widened mask for positive (docs/runtimes.md).
  const std::string type = vector_type("long", width);
  return cat("(convert_", type, "(", mask, ") != (", type, ")(0))");
}

}  // namespace oncilla::ocl
