// Padding of up to eight dims: in and out are the sizes of x and y, padded in front with size 1, before the margin in front of x in y. Along one dim,
// position i counts from the first element of x. Modes as in attrs.h: constant, reflect, replicate, circular.
#include "lib/index.h"

// The position of x that position i shows; -1: the constant.
static inline I pad_source(int mode, I i, I in) {
  if (i >= 0 && i < in) return i;
  switch (mode) {
    case 1:
      return i < 0 ? -i : 2 * (in - 1) - i;
    case 2:
      return i < 0 ? 0 : in - 1;
    case 3:
      return i < 0 ? i + in : i - in;
    default:
      return -1;
  }
}

// The positions of y along one dim that show position c of x, in ascending order: a run, or up to three single ones.
typedef struct {
  I at[3];
  I count;  // replicate: the run at[0], at[0] + 1, ...
} Shown;

static inline void pad_keep(Shown *s, I o, I out) {
  if (o >= 0 && o < out) s->at[s->count++] = o;
}

static inline Shown pad_shown(int mode, I c, I in, I out, I before) {
  Shown s;
  s.count = 0;
  if (mode == 2) {
    const I first = max(c == 0 ? (I)0 : c + before, (I)0), end = min(c == in - 1 ? out : c + before + 1, out);
    s.at[0] = first;
    s.count = max(end - first, (I)0);
    return s;
  }
  if (mode == 1 && c > 0) pad_keep(&s, before - c, out);
  if (mode == 3) pad_keep(&s, before + c - in, out);
  pad_keep(&s, before + c, out);
  if (mode == 1 && c < in - 1) pad_keep(&s, before + 2 * (in - 1) - c, out);
  if (mode == 3) pad_keep(&s, before + c + in, out);
  return s;
}

static inline I shown_at(int mode, const Shown *s, I k) { return mode == 2 ? s->at[0] + k : s->at[k]; }
