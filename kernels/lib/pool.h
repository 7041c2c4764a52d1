// The geometry of pooling, as ops/pool.hpp passes it: size = (D, H, W, O, P, Q), window = kernel, stride, padding and dilation, three of each. Fewer spatial
// dims are padded in front. Strides of tensors are long8 (n, c, d, h, w). The host makes sure that positions along one dim fit in 32 bits; I counts elements.
#include "lib/index.h"

#define IN_D size.s0
#define IN_H size.s1
#define IN_W size.s2
#define OUT_D size.s3
#define OUT_H size.s4
#define OUT_W size.s5
#define WINDOW_D window.s0
#define WINDOW_H window.s1
#define WINDOW_W window.s2
#define STRIDE_D window.s3
#define STRIDE_H window.s4
#define STRIDE_W window.s5
#define PAD_D window.s6
#define PAD_H window.s7
#define PAD_W window.s8
#define DILATION_D window.s9
#define DILATION_H window.sa
#define DILATION_W window.sb

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

// An element of [N, C, a, b, c] from its row-major number.
typedef struct {
  I n;
  int c, d, h, w;
} Site;

static inline Site site_of(I i, int channels, int d, int h, int w) {
  Site s;
  s.w = (int)(i % w);
  i /= w;
  s.h = (int)(i % h);
  i /= h;
  s.d = (int)(i % d);
  i /= d;
  s.c = (int)(i % channels);
  s.n = i / channels;
  return s;
}

static inline long plane_at(Site s, long8 strides) { return s.n * strides.s0 + s.c * strides.s1; }
static inline long place_at(Site s, long8 strides) { return s.d * strides.s2 + s.h * strides.s3 + s.w * strides.s4; }
