// Cases of CONV.
#include <cmath>

#include "ops/convolution.hpp"

namespace oncilla::test {
namespace {

const ConvShape kUsual{{2, 3, 7, 5}, {4, 3, 3}, {}, {1}};

// Layouts that differ between the tensors, and one image for the whole batch.
void layouts(Cases& cases, uint32_t dtype) {
  Case mixed = conv_case(dtype, kUsual, Bias::same, false);
  mixed.name += " x channels_last, w reversed, y padded";
  mixed.in[0].layout = Layout::channels_last;
  mixed.in[1].layout = Layout::reversed;
  mixed.out[0].layout = Layout::padded;
  cases.push_back(mixed);
  Case places = conv_case(dtype, {{3, 5, 7, 5}, {4, 1, 1}}, Bias::same, false);
  places.name += " x channels_last";
  places.in[0].layout = Layout::channels_last;
  cases.push_back(places);
  Case expanded = conv_case(dtype, kUsual, Bias::same, false);
  expanded.name += " expanded batch";
  expanded.in[0].broadcast = 1;
  cases.push_back(expanded);
}

// What lies beyond the image must not be multiplied into being: an infinity beside padding stays alone.
void extremes(Cases& cases, uint32_t dtype) {
  for (const ConvShape& shape :
       {ConvShape{{1, 1, 4, 4}, {1, 3, 3}, {}, {1}}, ConvShape{{1, 1, 16}, {1, 3}, {}, {1}},
        ConvShape{{1, 1, 2, 2, 4}, {1, 2, 2, 3}, {}, {1}}, ConvShape{{1, 2, 2, 4}, {2, 2, 3}, {}, {1}, {}, 2}}) {
    Case c = conv_case(dtype, shape, Bias::none, false);
    c.name += " NaN and infinity";
    c.in[0].fill = list({1, 2, 3, INFINITY, 5, 6, 7, 8, 9, 1, 2, 3, NAN, 4, 5, -INFINITY});
    cases.push_back(c);
  }
  Case weight = conv_case(dtype, {{2, 2, 6, 7}, {3, 2, 2}}, Bias::same, false);
  weight.name += " infinite weight";
  weight.in[1].fill = list({1, 2, INFINITY, 3, 4, 5, 6, 7, 8, 9, NAN, -1, -2, -3});
  cases.push_back(weight);
  Case zero = conv_case(dtype, {{1, 1, 3, 3}, {1, 1, 1}}, Bias::none, false);
  zero.name += " zeros";
  zero.in[0].fill = list({0.0, -0.0, 1, -1});
  zero.in[1].fill = list({0});
  cases.push_back(zero);
}

void known_results(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F16, ONC_BF16}) {
    Case known = conv_case(dtype, {{1, 1, 3, 3}, {1, 2, 2}}, Bias::same, false);
    known.name += " known";
    known.in[0].fill = list({1, 2, 3, 4, 5, 6, 7, 8, 9});
    known.in[1].fill = list({1, 2, 4, 8});
    known.in[2].fill = list({1});
    known.known = {{0, {62, 77, 107, 122}}};
    cases.push_back(known);
  }
  Case volume = conv_case(ONC_F32, {{1, 1, 2, 2, 2}, {1, 2, 2, 2}, {}, {1, 0, 0}}, Bias::none, false);
  volume.name += " known";
  volume.in[0].fill = list({1, 2, 3, 4, 5, 6, 7, 8});
  volume.in[1].fill = list({1, 1, 1, 1, 10, 10, 10, 10});
  volume.known = {{0, {100, 270, 26}}};
  cases.push_back(volume);
  // Sums beyond the largest half; rounding to nearest even happens once, at the store.
  Case overflow = conv_case(ONC_F16, {{1, 2, 4}, {1, 1}}, Bias::none, false);
  overflow.name += " overflow and rounding";
  overflow.in[0].fill = list({256, 256, 2048, 2048, 256, 250, 1, 3});
  overflow.in[1].fill = list({1, 1});
  overflow.known = {{0, {512, 506, 2048, 2052}}};
  cases.push_back(overflow);
  overflow.name += " to infinity";
  overflow.in[1].fill = list({255, 255});
  overflow.known = {{0, {INFINITY, INFINITY, INFINITY, INFINITY}}};
  cases.push_back(overflow);
}

// A bias for each channel and a ReLU; a residual of y's layout, with run-time scalars. Each is a program of its own: not every
// dtype has both.
void epilogues(Cases& cases, uint32_t dtype) {
  for (const ConvShape& shape :
       {kUsual, ConvShape{{1, 5, 9, 70}, {20, 3, 3}, {}, {1}}, ConvShape{{2, 4, 7, 7}, {6, 3, 3}, {2, 1}, {1}, {}, 2},
        ConvShape{{2, 3, 40}, {9, 3}, {}, {1}}, ConvShape{{1, 2, 4, 5, 6}, {3, 3, 3, 3}, {1, 2, 1}, {1}},
        ConvShape{{2, 3, 9, 20}, {6, 3, 3}, {}, {1}, {}, 3}, ConvShape{{2, 3, 4, 5, 6}, {3, 2, 3, 3}, {}, {0, 1, 1}, {}, 3},
        ConvShape{{2, 3, 6, 7}, {4, 3, 3}, {}, {1}, {}, 1, Layout::channels_last}}) {
    Case relu = conv_case(dtype, shape, Bias::none, false);
    relu.name += " epilogue: bias, relu";
    Tensor channels = tensor(ONC_F32, shape.y());
    for (uint32_t d = 0; d < channels.dims.size(); ++d) channels.broadcast |= d == 1 ? 0u : 1u << d;
    relu.in.push_back(channels);
    Tape tape;
    const Value x = tape.input(dtype), bias = tape.input(ONC_F32);
    tape.output(maximum(x + tape.cast(bias, x.dtype), tape.constant(x.dtype, 0)));
    relu.set_tape(tape);
    if (dtype == ONC_F32 || dtype == ONC_F16) cases.push_back(relu);
    if (dtype == ONC_F16 || (dtype != ONC_F32 && shape.layout != Layout::contiguous)) continue;

    Case sum = conv_case(dtype, shape, Bias::same, false);
    sum.name += " epilogue: scale, residual";
    sum.in.push_back(tensor(dtype, shape.y(), Domain::any, shape.layout));
    Tape scaled;
    const Value y = scaled.input(dtype), residual = scaled.input(dtype);
    scaled.output(y * scaled.scalar(y.dtype) + residual - scaled.cast(scaled.scalar(ONC_I64), y.dtype));
    sum.set_tape(scaled);
    sum.scalars = {scalar(0.75), scalar_int(3)};
    cases.push_back(sum);
    if (dtype != ONC_F32 || shape.layout != Layout::contiguous) continue;
    // Places of the residual that no one stride reaches.
    sum.name += " with gaps";
    sum.in.back().layout = Layout::padded;
    cases.push_back(sum);
  }
}

}  // namespace

void cases_conv(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    const bool half = dtype == ONC_F16 || dtype == ONC_BF16;
    size_t i = 0;
    for (const ConvShape& shape : conv_shapes()) {
      const bool integers = long_sums(shape);
      // Halves take turns, for the biases make no other programs.
      if (half) {
        const Bias biases[] = {Bias::same, Bias::float32, Bias::none};
        cases.push_back(conv_case(dtype, shape, biases[i++ % 3], integers));
        continue;
      }
      for (Bias bias : {Bias::none, Bias::same}) cases.push_back(conv_case(dtype, shape, bias, integers));
    }
    layouts(cases, dtype);
    extremes(cases, dtype);
    epilogues(cases, dtype);
  }
  known_results(cases);
}

}  // namespace oncilla::test
