#include "runtime/storage.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace oncilla::ocl {

const char* arithmetic_type(uint32_t dtype) { return dtype == ONC_F64 ? "double" : "float"; }

const char* compute_type(uint32_t dtype) {
  if (kit::dtype_kind(dtype) == 'f') return arithmetic_type(dtype);
  return dtype == ONC_I64 ? "long" : "int";
}

const char* bits_type(size_t bytes) { return bytes == 1 ? "uchar" : bytes == 2 ? "ushort" : bytes == 4 ? "uint" : "ulong"; }

void set_storage(Defines& defines, uint32_t dtype) {
  defines.set("T", compute_type(dtype));
  switch (dtype) {
    case ONC_F16:
      defines.set("STORAGE_F16", 1);
      break;
    case ONC_BF16:
      defines.set("STORAGE_BF16", 1);
      break;
    case ONC_I8:
      defines.set("STORAGE", "char");
      break;
    case ONC_I16:
      defines.set("STORAGE", "short");
      break;
    case ONC_U8:
    case ONC_BOOL:
      defines.set("STORAGE", "uchar");
      break;
    default:
      break;
  }
}

bool wide_index(const kit::OpDesc& desc) {
  static const bool forced = [] {
    const char* text = std::getenv("ONCILLA_WIDE_INDEX");
    return text != nullptr && std::string_view(text) == "1";
  }();
  const auto large = [](const std::vector<std::optional<kit::Tensor>>& tensors) {
    return std::any_of(tensors.begin(), tensors.end(), [](const auto& t) {
      return t && (t->span() > std::numeric_limits<int32_t>::max() || t->numel() > std::numeric_limits<int32_t>::max());
    });
  };
  return forced || large(desc.in) || large(desc.out);
}

void set_index(Defines& defines, bool wide) {
  if (wide) defines.set("WIDE_INDEX", 1);
}

}  // namespace oncilla::ocl
