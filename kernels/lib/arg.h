// Tensor arguments: a buffer and an offset in elements, since a cl_mem has no arithmetic (Mem in runtime/device.hpp sets both).
#define ARG(type, name) __global type *name##_base, const ulong name##_offset
#define BIND(type, name) __global type *name = name##_base + name##_offset
