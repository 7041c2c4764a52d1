// Reductions over a work-group of GROUP items (a power of two) through local memory, as one fixed tree. Every item must call, with the same scratch of GROUP
// values of T; all get the result, and scratch may be used again at once.
#define ONC_GROUP_TREE(name, combine)                                          \
  static inline T name(local T *scratch, T value) {                            \
    const int l = (int)get_local_id(0);                                        \
    scratch[l] = value;                                                        \
    barrier(CLK_LOCAL_MEM_FENCE);                                              \
    for (int half_size = GROUP / 2; half_size > 0; half_size /= 2) {           \
      if (l < half_size) {                                                     \
        const T a = scratch[l], b = scratch[l + half_size];                    \
        scratch[l] = combine;                                                  \
      }                                                                        \
      barrier(CLK_LOCAL_MEM_FENCE);                                            \
    }                                                                          \
    const T result = scratch[0];                                               \
    barrier(CLK_LOCAL_MEM_FENCE);                                              \
    return result;                                                             \
  }
ONC_GROUP_TREE(group_sum, a + b)
ONC_GROUP_TREE(group_max, a > b ? a : b) /* may pass over a NaN */
