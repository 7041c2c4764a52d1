// Tensors of a list, which lie in a few buffers (ops/list_plan.hpp makes the table and the LIST_SEGMENT macros). table has `tensors` + 1 first units, then a
// row of words a tensor: its length, then a place for each list: byte offset << 16 | broadcast << 15 | number of the buffer.

static inline global uchar *list_segment(LIST_SEGMENT_PARAMS, int which) { return LIST_SEGMENT_CHOICE; }

// For kernels with LIST_SEGMENT_PARAMS.
#define LIST_MEMORY(place) (list_segment(LIST_SEGMENTS, (int)((place) & 0x7fff)) + ((place) >> 16))
#define LIST_BROADCASTS(place) (((place) & 0x8000) != 0)

// The last tensor that begins at or before this unit; empty ones begin where the next does.
static inline int list_tensor(const global long *table, int tensors, int unit) {
  int tensor = 0;
  for (int above = tensors; above - tensor > 1;) {
    const int middle = (tensor + above) / 2;
    if (table[middle] <= unit) {
      tensor = middle;
    } else {
      above = middle;
    }
  }
  return tensor;
}
