// Weights, biases and running statistics as they lie in memory, P: stored like the tensor that they belong to, or (PARAMS_IN_T) in T where that is a half.
#include "lib/storage.h"
#ifdef PARAMS_IN_T
typedef T P;
#define LOAD_P(p, i) ((p)[i])
#define STORE_P(p, i, v) ((p)[i] = (v))
#define LOAD_P16(p) vload16(0, p)
#else
typedef E P;
#define LOAD_P(p, i) LOAD_AT(p, i)
#define STORE_P(p, i, v) STORE_AT(p, i, v)
#ifdef LOAD16
#define LOAD_P16(p) LOAD16(p)
#endif
#endif
