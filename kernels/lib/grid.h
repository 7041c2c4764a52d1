// Where GRID_SAMPLE reads along one spatial dim. MODE 0 nearest, 1 linear, 2 cubic; border 0 zeros, 1 clamp, 2 reflect.
#include "lib/index.h"
#include "lib/storage.h"

// Which element is nearest, and on which side of a kink a coordinate lies, must not depend on fused products.
#pragma OPENCL FP_CONTRACT OFF

#if MODE == 2
#define TAPS 4
#elif MODE == 1
#define TAPS 2
#else
#define TAPS 1
#endif

typedef struct {
  int at[TAPS];  // -1: outside
  T weight[TAPS];
  T slope[TAPS];  // of the weight, by the coordinate
} Taps;

// The position after the border's rule, and its slope (0 where it is held). Not a number: 0.
static inline T folded(T at, int size, int border, int align, T *slope) {
  *slope = 1;
  if (border == 0) return at;
  T sign = 1;
  if (border == 2) {
    // A triangular wave about the outermost elements' centers or outer edges.
    const T low = align ? (T)0 : (T)-0.5f, span = (T)(align ? size - 1 : size);
    if (span == 0) {
      *slope = 0;
      return 0;
    }
    const T distance = fabs(at - low), wave = distance - 2 * span * floor(distance / (2 * span));
    sign = (at < low) != (wave > span) ? -1 : 1;
    at = (2 * span - wave < wave ? 2 * span - wave : wave) + low;
  }
  const T last = (T)(size - 1);
  *slope = at > 0 && at < last ? sign : (T)0;
  return at > 0 ? (at < last ? at : last) : (T)0;
}

static inline int place_of(T at, int size) { return at >= 0 && at < (T)size ? (int)at : -1; }

#if MODE == 2
// Keys' cubic with a = -0.75 and its derivative, at a distance below 1 and from 1 to 2.
static inline T keys_near(T d) { return ((T)1.25f * d - (T)2.25f) * d * d + 1; }
static inline T keys_far(T d) { return (((d - 5) * d + 8) * d - 4) * (T)-0.75f; }
static inline T keys_near_slope(T d) { return ((T)3.75f * d - (T)4.5f) * d; }
static inline T keys_far_slope(T d) { return ((3 * d - 10) * d + 8) * (T)-0.75f; }
#endif

static inline Taps taps_of(T coordinate, int size, int border, int align) {
  Taps t;
  const T position = align ? (coordinate + 1) / 2 * (T)(size - 1) : ((coordinate + 1) * (T)size - 1) / 2;
  const T factor = (T)(align ? size - 1 : size) / 2;
  T slope;
#if MODE == 2
  const T whole = floor(position), part = position - whole;
  for (int k = 0; k < 4; ++k) t.at[k] = place_of(folded(whole + (T)(k - 1), size, border, align, &slope), size);
  t.weight[0] = keys_far(1 + part);
  t.weight[1] = keys_near(part);
  t.weight[2] = keys_near(1 - part);
  t.weight[3] = keys_far(2 - part);
  t.slope[0] = factor * keys_far_slope(1 + part);
  t.slope[1] = factor * keys_near_slope(part);
  t.slope[2] = -factor * keys_near_slope(1 - part);
  t.slope[3] = -factor * keys_far_slope(2 - part);
#else
  const T at = folded(position, size, border, align, &slope);
#if MODE == 1
  const T whole = floor(at), part = at - whole;
  t.at[0] = place_of(whole, size);
  t.at[1] = place_of(whole + 1, size);
  t.weight[0] = 1 - part;
  t.weight[1] = part;
  t.slope[0] = -slope * factor;
  t.slope[1] = slope * factor;
#else
  t.at[0] = place_of(rint(at), size);
  t.weight[0] = 1;
  t.slope[0] = 0;
#endif
#endif
  return t;
}

// A dim that the op lacks.
static inline Taps taps_none(void) {
  Taps t;
  for (int k = 0; k < TAPS; ++k) {
    t.at[k] = 0;
    t.weight[k] = 1;
    t.slope[k] = 0;
  }
  return t;
}

// Of the depth: in two dims one tap.
#if RANK == 3
#define DEPTH_TAPS TAPS
#else
#define DEPTH_TAPS 1
#endif

// Along all dims, from the coordinates at `grid`, `step` apart: width, height, depth.
typedef struct {
  Taps d, h, w;
} Stencil;

static inline Stencil stencil_at(const global E *grid, long step, int8 size, int border, int align) {
  Stencil s;
  s.w = taps_of(LOAD_AT(grid, 0), size.s2, border, align);
  s.h = taps_of(LOAD_AT(grid, step), size.s1, border, align);
#if RANK == 3
  s.d = taps_of(LOAD_AT(grid, 2 * step), size.s0, border, align);
#else
  s.d = taps_none();
#endif
  return s;
}

// Where work-item `id` of all outputs in row-major order is: sample n, place o, p, q.
typedef struct {
  I n;
  int o, p, q;
} Output;

static inline Output output_of(I id, int8 size) {
  Output out;
  out.q = (int)(id % size.s5);
  out.p = (int)(id / size.s5 % size.s4);
  out.o = (int)(id / size.s5 / size.s4 % size.s3);
  out.n = id / size.s5 / size.s4 / size.s3;
  return out;
}

// Offsets with strides n, c, d, h, w of an image (channel 0), and n, d, h, w, coordinate of a grid.
static inline long in_image(Output at, long8 strides) { return at.n * strides.s0 + at.o * strides.s2 + at.p * strides.s3 + at.q * strides.s4; }
static inline long in_grid(Output at, long8 strides) { return at.n * strides.s0 + at.o * strides.s1 + at.p * strides.s2 + at.q * strides.s3; }
