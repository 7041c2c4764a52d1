// The generator: Random123's published vectors, and the tapes that make numbers of its words, evaluated here in double.
#include "core/philox.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/scalar_math.hpp"

using namespace oncilla;

// kat_vectors of the Random123 distribution, the three lines "philox 4x32 10".
TEST_CASE("philox: known answers") {
  using Words = std::array<uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("philox: the offset advances by one a draw") {
  Philox generator{3, 10};
  CHECK(generator.next() == 10);
  CHECK(generator.next() == 11);
  CHECK(generator.offset == 12);
}

namespace {

// Runs a tape of casts, generator words and elementwise rows for one element, float32 rounded after each step.
double evaluate(const Tape& tape, uint64_t element, uint64_t key, uint64_t offset) {
  std::vector<double> f(tape.insts().size());
  std::vector<int64_t> n(tape.insts().size());
  const auto words = philox4x32({static_cast<uint32_t>(element), static_cast<uint32_t>(element >> 32),
                                 static_cast<uint32_t>(offset), static_cast<uint32_t>(offset >> 32)},
                                {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
  for (size_t i = 0; i < f.size(); ++i) {
    const onc_expr_inst& inst = tape.insts()[i];
    const double a = f[inst.a], b = f[inst.b];
    switch (inst.op) {
      case ONC_EX_PHILOX:
        n[i] = words[inst.c];
        break;
      case ONC_EX_CONST:
        inst.dtype == ONC_I64 ? void(n[i] = inst.imm.i) : void(f[i] = inst.imm.f);
        break;
      case ONC_EX_CAST:
        f[i] = static_cast<double>(n[inst.a]);
        break;
      case ONC_EX_ADD:
        inst.dtype == ONC_I64 ? void(n[i] = n[inst.a] + n[inst.b]) : void(f[i] = a + b);
        break;
      case ONC_EX_BIT_AND:
        n[i] = n[inst.a] & n[inst.b];
        break;
      case ONC_EX_SHIFT_LEFT:
        n[i] = n[inst.a] << n[inst.b];
        break;
      case ONC_EX_SHIFT_RIGHT:
        n[i] = n[inst.a] >> n[inst.b];
        break;
      case ONC_EX_MUL:
        f[i] = a * b;
        break;
      case ONC_EX_REPRO_LOG:
        f[i] = std::log(a);
        break;
      case ONC_EX_REPRO_SQRT:
        f[i] = std::sqrt(a);
        break;
      case ONC_EX_REPRO_COSPI:
        f[i] = std::cos(3.14159265358979323846 * a);
        break;
      default:
        FAIL("instruction ", inst.op);
    }
    if (inst.dtype == ONC_F32) f[i] = static_cast<float>(f[i]);
  }
  return f[tape.outs().at(0)];
}

}  // namespace

TEST_CASE("philox: moments and range of the draws") {
  for (const uint32_t dtype : {ONC_F32, ONC_F64}) {
    Tape flat, bell;
    flat.output(uniform(flat, dtype));
    bell.output(normal(bell, dtype));
    CHECK(flat.n_scalars() == 2);
    constexpr int kCount = 40000;
    double mean = 0, square = 0, low = 1, high = 0, normal_mean = 0, normal_square = 0, fourth = 0;
    for (int i = 0; i < kCount; ++i) {
      const double u = evaluate(flat, i, 42, 7), v = evaluate(bell, i, 42, 7);
      REQUIRE(u >= 0);
      REQUIRE(u < 1);
      REQUIRE(std::isfinite(v));
      low = std::min(low, u);
      high = std::max(high, u);
      mean += u / kCount;
      square += u * u / kCount;
      normal_mean += v / kCount;
      normal_square += v * v / kCount;
      fourth += v * v * v * v / kCount;
    }
    // Within four standard errors.
    CHECK(std::fabs(mean - 0.5) < 4 * std::sqrt(1.0 / 12 / kCount));
    CHECK(std::fabs(square - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / kCount));
    CHECK(low < 1e-3);
    CHECK(high > 1 - 1e-3);
    CHECK(std::fabs(normal_mean) < 4 / std::sqrt(kCount));
    CHECK(std::fabs(normal_square - 1) < 4 * std::sqrt(2.0 / kCount));
    CHECK(std::fabs(fourth - 3) < 4 * std::sqrt(96.0 / kCount));
  }
}

TEST_CASE("philox: the normal draw is Box and Muller's") {
  Tape tape;
  tape.output(normal(tape, ONC_F64));
  for (uint32_t i = 0; i < 100; ++i) {
    const auto words = philox4x32({i, 0, 7, 0}, {42, 0});
    const auto bits = [&](int word) { return static_cast<double>(uint64_t{words[word]} << 21 | words[word + 1] >> 11); };
    const double expected =
        std::sqrt(-2 * std::log((bits(0) + 1) * 0x1p-53)) * std::cos(2 * 3.14159265358979323846 * bits(2) * 0x1p-53);
    CHECK(evaluate(tape, i, 42, 7) == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("philox: only floating dtypes are drawn") {
  Tape tape;
  CHECK_THROWS_WITH_AS(uniform(tape, ONC_I64), doctest::Contains("[uniform]"), Error);
  CHECK_THROWS_WITH_AS(normal(tape, ONC_F16), doctest::Contains("[normal]"), Error);
}
