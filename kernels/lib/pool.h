// The geometry of 2-D pooling, as ops/pool.hpp passes it: size = (H, W, P, Q), window = (R, S, stride h, stride w, pad h, pad w, dilation h, dilation w).
// Strides of tensors are long4 (n, c, h, w). The host makes sure that all of it fits in 32 bits.
#define IN_H size.s0
#define IN_W size.s1
#define OUT_H size.s2
#define OUT_W size.s3
#define WINDOW_H window.s0
#define WINDOW_W window.s1
#define STRIDE_H window.s2
#define STRIDE_W window.s3
#define PAD_H window.s4
#define PAD_W window.s5
#define DILATION_H window.s6
#define DILATION_W window.s7

// Taps [x, y) of a window whose first tap is at `start` that lie inside 0 … in-1.
static inline int2 taps_inside(int start, int taps, int dilation, int in) {
  const int first = start < 0 ? (-start + dilation - 1) / dilation : 0;
  const int end = start < in ? (in - start + dilation - 1) / dilation : 0;
  return (int2)(first, max(first, min(taps, end)));
}

// Outputs [x, y) of a row whose taps all lie inside 0 … in-1.
static inline int2 interior(int in, int out, int taps, int stride, int pad, int dilation) {
  const int first = (pad + stride - 1) / stride, room = in - 1 - (taps - 1) * dilation + pad;
  const int end = room < 0 ? 0 : min(out, room / stride + 1);
  return (int2)(min(first, out), max(min(first, out), end));
}

// Windows [x, y) along one dim that may hold position `at`: all of them where dilation is 1.
static inline int2 windows_over(int at, int out, int taps, int stride, int pad, int dilation) {
  const int reach = at + pad - (taps - 1) * dilation;
  return (int2)(reach <= 0 ? 0 : (reach + stride - 1) / stride, min(out, (at + pad) / stride + 1));
}
