// I, in which a kernel counts elements: long where a tensor of the plan has 2^31 of them or more (ops/variants.hpp defines WIDE_INDEX), else int, whose
// divisions are much faster. Offsets in memory are long always.
#ifndef ONC_INDEX_H
#define ONC_INDEX_H
#ifdef WIDE_INDEX
typedef long I;
#else
typedef int I;
#endif
#endif
