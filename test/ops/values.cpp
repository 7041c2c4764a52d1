// Encoding by bits, and the domains.
#include "ops/values.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace oncilla::test {
namespace {

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// float32 to float16 by shifting the mantissa right with the lost bits deciding; a subnormal first gets its implicit one.
uint16_t half_bits(float value) {
  const uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
  if (magnitude >= 0x47800000) return static_cast<uint16_t>(sign | 0x7c00);
  uint32_t mantissa = magnitude, shift = 13, rebias = 112u << 10;
  if (magnitude < 0x38800000) {
    shift = 126 - (magnitude >> 23);
    if (shift > 24) return static_cast<uint16_t>(sign);
    mantissa = (magnitude & 0x7fffff) | 0x800000;
    rebias = 0;
  }
  uint32_t result = (mantissa >> shift) - rebias;
  const uint32_t lost = mantissa & ((1u << shift) - 1), halfway = 1u << (shift - 1);
  result += lost > halfway || (lost == halfway && (result & 1));
  return static_cast<uint16_t>(sign | result);
}

float half_value(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 1023;
  if (exponent == 31) return float_of(sign | 0x7f800000 | mantissa << 13);
  if (exponent == 0) return (sign ? -1.0f : 1.0f) * static_cast<float>(mantissa) * 0x1p-24f;
  return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t bfloat_bits(float value) {
  const uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

template <class T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <class T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

double draw_float(const Fill& fill, uint64_t random, int64_t i) {
  const double u = static_cast<double>(random >> 11) * 0x1p-53;  // [0, 1)
  const double sign = random & 1 ? 1 : -1;
  switch (fill.domain) {
    case Domain::positive:
      return 0.1 + 2.9 * u;
    case Domain::nonzero:
      return sign * (0.25 + 1.75 * u);
    case Domain::unit:
      return -0.95 + 1.9 * u;
    case Domain::open_unit:
      return 0.05 + 0.9 * u;
    case Domain::above_one:
      return 1.05 + 1.95 * u;
    case Domain::boolean:
      return static_cast<double>(random & 1);
    case Domain::small_int:
      return std::floor(7 * u) - 3;
    case Domain::wide:
      return -1e4 + 2e4 * u;
    case Domain::list:
      return fill.values[static_cast<size_t>(i) % fill.values.size()];
    case Domain::percent:
      return 100 * u;
    default:
      return -2 + 4 * u;
  }
}

int64_t draw_int(uint32_t dtype, const Fill& fill, uint64_t random, int64_t i) {
  const bool is_unsigned = dtype == ONC_U8 || dtype == ONC_BOOL;
  const auto between = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>((random >> 8) % static_cast<uint64_t>(high - low + 1));
  };
  const int64_t sign = random & 1 && !is_unsigned ? -1 : 1;
  if (dtype == ONC_BOOL && fill.domain != Domain::list) return static_cast<int64_t>(random >> 7 & 1);
  switch (fill.domain) {
    case Domain::positive:
      return between(1, 20);
    case Domain::nonzero:
      return sign * between(1, 7);
    case Domain::boolean:
      return between(0, 1);
    case Domain::shift:
      return is_unsigned ? between(0, 66) : between(-1, 66);
    case Domain::small_int:
      return is_unsigned ? between(0, 3) : between(-3, 3);
    case Domain::wide:
      if (random % 16 == 0) return dtype == ONC_I64 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int32_t>::min();
      if (random % 16 == 1) return dtype == ONC_I64 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int32_t>::max();
      return static_cast<int64_t>(mix(random));
    case Domain::list:
      return static_cast<int64_t>(fill.values[static_cast<size_t>(i) % fill.values.size()]);
    case Domain::index:
      return between(0, fill.limit - 1);
    case Domain::percent:
      return between(0, 100);
    default:
      return is_unsigned ? between(0, 20) : between(-20, 20);
  }
}

}  // namespace

size_t item_bytes(uint32_t dtype) {
  switch (dtype) {
#define ONC_DTYPE(number, NAME, name, bytes, ...) \
  case number:                                    \
    return bytes;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      throw std::logic_error("no such dtype");
  }
}

const char* dtype_name(uint32_t dtype) {
  switch (dtype) {
#define ONC_DTYPE(number, NAME, name, ...) \
  case number:                             \
    return #name;
#include "oncilla/dtypes.def"
#undef ONC_DTYPE
    default:
      return "none";
  }
}

bool is_float(uint32_t dtype) { return dtype == ONC_F32 || dtype == ONC_F64 || dtype == ONC_F16 || dtype == ONC_BF16; }

void encode_float(std::byte* at, uint32_t dtype, double value) {
  switch (dtype) {
    case ONC_F32:
      return put(at, static_cast<float>(value));
    case ONC_F64:
      return put(at, value);
    case ONC_F16:
      return put(at, half_bits(static_cast<float>(value)));
    case ONC_BF16:
      return put(at, bfloat_bits(static_cast<float>(value)));
    default:
      return encode_int(at, dtype, static_cast<int64_t>(value));
  }
}

void encode_int(std::byte* at, uint32_t dtype, int64_t value) {
  switch (dtype) {
    case ONC_I8:
      return put(at, static_cast<int8_t>(value));
    case ONC_I16:
      return put(at, static_cast<int16_t>(value));
    case ONC_I32:
      return put(at, static_cast<int32_t>(value));
    case ONC_I64:
      return put(at, value);
    case ONC_U8:
      return put(at, static_cast<uint8_t>(value));
    case ONC_BOOL:
      return put(at, static_cast<uint8_t>(value != 0));
    default:
      return encode_float(at, dtype, static_cast<double>(value));
  }
}

double decode_float(const std::byte* at, uint32_t dtype) {
  switch (dtype) {
    case ONC_F32:
      return get<float>(at);
    case ONC_F64:
      return get<double>(at);
    case ONC_F16:
      return half_value(get<uint16_t>(at));
    case ONC_BF16:
      return float_of(static_cast<uint32_t>(get<uint16_t>(at)) << 16);
    default:
      return static_cast<double>(decode_int(at, dtype));
  }
}

int64_t decode_int(const std::byte* at, uint32_t dtype) {
  switch (dtype) {
    case ONC_I8:
      return get<int8_t>(at);
    case ONC_I16:
      return get<int16_t>(at);
    case ONC_I32:
      return get<int32_t>(at);
    case ONC_I64:
      return get<int64_t>(at);
    case ONC_U8:
    case ONC_BOOL:
      return get<uint8_t>(at);
    default:
      throw std::logic_error("decode_int of a float");
  }
}

Fill list(std::vector<double> values) {
  Fill fill(Domain::list);
  fill.values = std::move(values);
  return fill;
}

Fill index_below(int64_t limit) {
  Fill fill(Domain::index);
  fill.limit = limit;
  return fill;
}

std::vector<std::byte> draw(uint32_t dtype, int64_t numel, const Fill& fill, uint64_t seed) {
  std::vector<std::byte> bytes(static_cast<size_t>(numel) * item_bytes(dtype));
  for (int64_t i = 0; i < numel; ++i) {
    const uint64_t random = mix(seed ^ mix(static_cast<uint64_t>(i)));
    std::byte* at = bytes.data() + static_cast<size_t>(i) * item_bytes(dtype);
    if (is_float(dtype)) {
      encode_float(at, dtype, draw_float(fill, random, i));
    } else {
      encode_int(at, dtype, draw_int(dtype, fill, random, i));
    }
  }
  return bytes;
}

uint64_t hash(const char* text) {
  uint64_t h = 0xcbf29ce484222325;
  for (; *text; ++text) h = (h ^ static_cast<unsigned char>(*text)) * 0x100000001b3;
  return h;
}

}  // namespace oncilla::test
