// Reading and writing single elements. float16 and bfloat16 are decoded and encoded by arithmetic instead of bit tricks, so that
// the rounding can be checked by reading: one rounding to nearest even, from double.
#include "storage.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "kit/desc.hpp"

namespace oncilla::reference {
namespace {

template <class T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

// A 16-bit float with so many bits of mantissa; the rest but the sign is the exponent.
struct Small {
  int mantissa;
  int bias() const { return (1 << (14 - mantissa)) - 1; }
  int infinity() const { return ((1 << (15 - mantissa)) - 1) << mantissa; }
};
constexpr Small kHalf{10}, kBfloat{7};

double decode(uint16_t bits, Small format) {
  const int magnitude = bits & 0x7fff, fraction = magnitude & ((1 << format.mantissa) - 1), exponent = magnitude >> format.mantissa;
  double value = 0;
  if (magnitude > format.infinity()) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (magnitude == format.infinity()) {
    value = std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, 1 - format.bias() - format.mantissa);
  } else {
    value = std::ldexp(fraction + (1 << format.mantissa), exponent - format.bias() - format.mantissa);
  }
  return bits & 0x8000 ? -value : value;
}

uint16_t encode(double value, Small format) {
  const int sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return static_cast<uint16_t>(sign | format.infinity() | 1 << (format.mantissa - 1));
  if (std::isinf(value)) return static_cast<uint16_t>(sign | format.infinity());
  if (value == 0) return static_cast<uint16_t>(sign);
  const int exponent = std::max(std::ilogb(value), 1 - format.bias());
  // The magnitude in units of the last place; one that rounds up to the next power of two carries into the exponent by itself.
  const double units = std::nearbyint(std::ldexp(std::fabs(value), format.mantissa - exponent));
  if (exponent > format.bias()) return static_cast<uint16_t>(sign | format.infinity());
  const int magnitude = ((exponent + format.bias() - 1) << format.mantissa) + static_cast<int>(units);
  return static_cast<uint16_t>(sign | std::min(magnitude, format.infinity()));
}

// To int64, or by way of int32 to what is narrower; out of range and NaN: the least number.
int64_t truncate(double value, uint32_t to) {
  if (to == ONC_I64) return value >= -0x1p63 && value < 0x1p63 ? static_cast<int64_t>(value) : std::numeric_limits<int64_t>::min();
  return value >= -0x1p31 && value < 0x1p31 ? static_cast<int64_t>(value) : std::numeric_limits<int32_t>::min();
}

}  // namespace

bool is_float(uint32_t dtype) { return kit::dtype_kind(dtype) == 'f'; }

double round_float(double value, uint32_t dtype) {
  switch (dtype) {
    case ONC_F32:
      return static_cast<double>(static_cast<float>(value));
    case ONC_F16:
      return decode(encode(value, kHalf), kHalf);
    case ONC_BF16:
      return decode(encode(value, kBfloat), kBfloat);
    default:
      return value;
  }
}

int64_t wrap_int(int64_t value, uint32_t dtype) {
  switch (dtype) {
    case ONC_I8:
      return static_cast<int8_t>(value);
    case ONC_I16:
      return static_cast<int16_t>(value);
    case ONC_I32:
      return static_cast<int32_t>(value);
    case ONC_U8:
      return static_cast<uint8_t>(value);
    case ONC_BOOL:
      return value != 0;
    default:
      return value;
  }
}

Number convert(Number value, uint32_t from, uint32_t to) {
  Number result;
  if (is_float(to)) {
    const bool half = to == ONC_F16 || to == ONC_BF16;
    if (to == ONC_F64) {
      result.f = is_float(from) ? value.f : static_cast<double>(value.i);
    } else {
      // One rounding to float32, not two through double; halves round once more.
      const float single = is_float(from) ? static_cast<float>(value.f) : static_cast<float>(value.i);
      result.f = half ? round_float(single, to) : single;
    }
  } else if (to == ONC_BOOL) {
    result.i = is_float(from) ? value.f != 0 : value.i != 0;
  } else {
    result.i = wrap_int(is_float(from) ? truncate(value.f, to) : value.i, to);
  }
  return result;
}

Number load(const std::byte* at, uint32_t dtype) {
  switch (dtype) {
    case ONC_F32:
      return {.f = get<float>(at)};
    case ONC_F64:
      return {.f = get<double>(at)};
    case ONC_F16:
      return {.f = decode(get<uint16_t>(at), kHalf)};
    case ONC_BF16:
      return {.f = decode(get<uint16_t>(at), kBfloat)};
    case ONC_I8:
      return {.i = get<int8_t>(at)};
    case ONC_I16:
      return {.i = get<int16_t>(at)};
    case ONC_I32:
      return {.i = get<int32_t>(at)};
    case ONC_I64:
      return {.i = get<int64_t>(at)};
    case ONC_U8:
      return {.i = get<uint8_t>(at)};
    case ONC_BOOL:
      return {.i = get<uint8_t>(at) != 0};
    default:
      throw kit::Error(ONC_INTERNAL, kit::cat("[reference] load of dtype ", dtype));
  }
}

void store(std::byte* at, uint32_t dtype, Number value) {
  switch (dtype) {
    case ONC_F32:
      return put(at, static_cast<float>(value.f));
    case ONC_F64:
      return put(at, value.f);
    case ONC_F16:
      return put(at, encode(value.f, kHalf));
    case ONC_BF16:
      return put(at, encode(value.f, kBfloat));
    case ONC_I8:
      return put(at, static_cast<int8_t>(value.i));
    case ONC_I16:
      return put(at, static_cast<int16_t>(value.i));
    case ONC_I32:
      return put(at, static_cast<int32_t>(value.i));
    case ONC_I64:
      return put(at, value.i);
    case ONC_U8:
      return put(at, static_cast<uint8_t>(value.i));
    case ONC_BOOL:
      return put(at, static_cast<uint8_t>(value.i != 0));
    default:
      throw kit::Error(ONC_INTERNAL, kit::cat("[reference] store of dtype ", dtype));
  }
}

}  // namespace oncilla::reference
