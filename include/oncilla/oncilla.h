/* The Oncilla plugin interface: a stable C ABI between a host (a framework adapter, the C++ library) and a backend plugin.
 *
 * A plugin exports one symbol, onc_get_api_v1(), that returns a table of functions (slots.def). A host describes work as
 * descriptor -> plan -> run; memory is always buffer + byte offset. This file declares types only; it includes no OpenCL header,
 * holds no code that a host or plugin must link, and compiles as C11 and C++20.
 *
 * Versioning. A breaking change needs a new symbol (onc_get_api_v2). Everything else is appended: slots at the end of slots.def,
 * members at the end of a struct, numbers that were never used. Every struct begins with its size as the caller knew it; a
 * receiver reads only members inside that size (ONC_HAS) and treats the rest as zero, and never refuses a smaller struct. Where it fills
 * a struct, it never writes past that size and zeroes what is newer than itself. A size below the head's or above 64 KiB is an error.
 *
 * Errors. Every call that can fail returns an onc_error, or NULL for success. The caller frees it with error_free. The message has
 * the form "[op] what, with the offending value". Nothing prints, throws or aborts across this border. Errors of work that
 * was already enqueued stick to the queue and surface at queue_finish, event_sync or event_done.
 *
 * Ownership. What a plugin creates is freed by the same plugin. Arguments are borrowed for the call. Returned strings live as
 * long as the object they describe. Every *_free accepts NULL.
 *
 * Threads. Devices, buffers and plans may be used from several threads at once; a queue or an event by one thread at a time. */
#ifndef ONCILLA_ONCILLA_H
#define ONCILLA_ONCILLA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ONC_ABI_MAJOR 1
#define ONC_ABI_MINOR 3 /* grows with every append */

#if defined(_WIN32)
#define ONC_EXPORT __declspec(dllexport)
#else
#define ONC_EXPORT __attribute__((visibility("default")))
#endif

/* An optional part, chained from a struct's `next`. An unknown type is skipped. */
typedef struct onc_ext {
  uint32_t type, size;
  const struct onc_ext *next;
} onc_ext;

/* First members of every struct. flags is 0 unless the struct names flags. */
#define ONC_HEAD         \
  uint32_t size, flags;  \
  const onc_ext *next

/* True where the caller's version of *p has the member. */
#define ONC_HAS(p, member) \
  ((p)->size >= (uint32_t)((const char *)(&(p)->member + 1) - (const char *)(p)))

typedef struct onc_error onc_error;
typedef struct onc_device onc_device;
typedef struct onc_buffer onc_buffer;
typedef struct onc_queue onc_queue;
typedef struct onc_event onc_event;
typedef struct onc_plan onc_plan;

/* Error codes. */
enum {
  ONC_OK = 0,
  ONC_INVALID_ARGUMENT = 1, /* the caller's mistake; the message names the value */
  ONC_UNIMPLEMENTED = 2,    /* declined with a reason; the host may fall back */
  ONC_OUT_OF_MEMORY = 3,
  ONC_NOT_FOUND = 4,        /* no such platform, device, variant or file */
  ONC_DEVICE_LOST = 5,      /* the driver reports a failure that no retry mends */
  ONC_BUILD_FAILURE = 6,    /* a kernel did not compile; the message holds the log */
  ONC_UNAVAILABLE = 7,      /* the object cannot be used here, for example after fork() */
  ONC_INTERNAL = 8          /* a defect of the plugin */
};

/* Element types: ONC_F32 and so on, from dtypes.def. 0 is not a dtype. */
enum {
#define ONC_DTYPE(number, name, ...) ONC_##name = number,
#include "dtypes.def"
#undef ONC_DTYPE
  ONC_DTYPE_NONE = 0
};

/* Kernel ops: ONC_OP_EXPR and so on, from ops.def. */
enum {
#define ONC_OP(number, NAME, name, ...) ONC_OP_##NAME = number,
#include "ops.def"
#undef ONC_OP
  ONC_OP_NONE = 0
};

/* Device classes: the row of defaults that an untuned device starts from. */
enum { ONC_CLASS_OTHER = 0, ONC_CLASS_CPU = 1, ONC_CLASS_INTEGRATED = 2, ONC_CLASS_DISCRETE = 3 };

/* What device_info fills. Strings live as long as the plugin is loaded. */
typedef struct onc_device_info {
  ONC_HEAD;
  const char *name, *vendor, *platform, *driver; /* driver: the driver's version string */
  const char *api;                               /* for example "OpenCL C 1.2 pocl" */
  const char *features;  /* probed features, space-separated names; "" until the device was opened once */
  uint32_t device_class; /* ONC_CLASS_* */
  uint32_t compute_units;
  uint64_t memory_bytes, max_alloc_bytes, local_bytes;
  uint32_t max_work_group, base_align_bytes; /* base_align_bytes: offsets that are multiples of it are always fast */
} onc_device_info;

typedef struct onc_device_options {
  ONC_HEAD;
  const char *cache_dir; /* programs on disk; NULL: the plugin's default; "": none */
  const char *tuning_file; /* rows of the user's own (docs/tuning.md); NULL: the plugin's default; "": none */
} onc_device_options;

/* Counters since device_open. */
typedef struct onc_device_stats {
  ONC_HEAD;
  uint64_t buffer_bytes, buffers;           /* live raw buffers */
  uint64_t programs_built, programs_cached; /* compiled; taken from disk */
  uint64_t cache_rejected;                  /* damaged or foreign entries, treated as misses */
  uint64_t launches;
  const char *warnings; /* newline-separated notes such as "cache folder … is not writable"; "" if none */
} onc_device_stats;

/* Queue flags. */
enum { ONC_QUEUE_PROFILING = 1 /* events carry device times; event_elapsed works */ };
typedef struct onc_queue_options {
  ONC_HEAD;
} onc_queue_options;

/* A place in memory: bytes, never a raw pointer, because a cl_mem has no arithmetic. */
typedef struct onc_arg {
  onc_buffer *buffer;
  uint64_t offset; /* bytes */
} onc_arg;

/* A value that may change from run to run: floating kinds read f, integer kinds read i; the op says which. */
typedef union onc_scalar {
  double f;
  int64_t i;
} onc_scalar;

/* Copy flags: until when the host memory of an asynchronous copy belongs to the plugin. */
enum {
  ONC_COPY_UNTIL_RETURN = 0, /* h2d: the source may be changed after the call; d2h: the call blocks until the bytes arrived */
  ONC_COPY_UNTIL_EVENT = 1   /* host memory stays valid and untouched until an event recorded later is done */
};

/* How much a finding of device_examine matters. */
enum { ONC_FINDING_OK = 0, ONC_FINDING_NOTE = 1, ONC_FINDING_WARNING = 2, ONC_FINDING_PROBLEM = 3 };

/* Map flags. */
enum { ONC_MAP_READ = 1, ONC_MAP_WRITE = 2 };

/* A strided tensor. dims and strides have `rank` entries, strides in elements, >= 0; stride 0 broadcasts. Rank 0 is a scalar. */
typedef struct onc_tensor_desc {
  ONC_HEAD;
  uint32_t dtype, rank;
  const int64_t *dims, *strides;
} onc_tensor_desc;

/* What to plan. An optional input or output that is absent is a NULL entry. attrs is the op's struct of attrs.h, or NULL. */
typedef struct onc_op_desc {
  ONC_HEAD;
  uint32_t op, n_in, n_out;
  const onc_tensor_desc *const *in, *const *out;
  const void *attrs;
} onc_op_desc;

/* Extension of onc_op_desc: forces one variant by the name that plan_info gives, and parameters of its choices behind a colon:
 * "tile:TM=8,VB=64". ONC_NOT_FOUND if the plan has no such variant, ONC_INVALID_ARGUMENT if the variant has no such choice. */
#define ONC_EXT_VARIANT 1u
typedef struct onc_ext_variant {
  onc_ext head; /* type = ONC_EXT_VARIANT */
  const char *name;
} onc_ext_variant;

typedef struct onc_plan_info {
  ONC_HEAD;
  const char *variant;    /* the chosen one */
  const char *candidates; /* every variant that can run this plan here, space-separated */
  uint64_t workspace_bytes;
  uint64_t flops, bytes;  /* arithmetic and compulsory traffic of one run */
  /* What the choice was made by; "" where the plugin has no such thing. */
  const char *shape_class; /* of the plan, by which the plugin chooses: plans of one op, dtype and class take the same row */
  const char *parameters;  /* of the variant: "TM=12 VB=64" */
  const char *choices;     /* what a tuner may force: "tile:TM=4|8|12,VB=32|64 direct" */
} onc_plan_info;

/* Binds a plan. args: inputs then outputs, in the descriptor's order and number; an absent or empty one is ignored. An output may be
 * the same memory as an input only where ops.def says so or for EXPR with the same strides. workspace may be empty if the plan asks for none;
 * its offset is a multiple of 64, other offsets are multiples of the element size. */
typedef struct onc_run {
  ONC_HEAD;
  const onc_arg *args;
  const onc_scalar *scalars;
  uint32_t n_args, n_scalars;
  onc_arg workspace;
} onc_run;

/* The table. A host copies min(its, the plugin's) slots into a zeroed table of its own, so that an absent slot reads NULL. */
typedef struct onc_api {
  uint32_t size; /* bytes of this struct as the plugin was built */
  uint16_t major, minor;
  uint32_t n_slots, reserved;
  const char *name;    /* of the plugin: "opencl" */
  const char *version; /* of the plugin, for people */
#define ONC_SLOT(result, slot, params) result(*slot) params;
#include "slots.def"
#undef ONC_SLOT
} onc_api;

/* The entry symbol. Never fails: a plugin without devices answers with a table whose device_count gives 0 or an error. A plugin's static
 * constructors must not throw: the dynamic loader ends the process, and no host can prevent that. */
typedef const onc_api *(*onc_get_api_v1_fn)(void);
#define ONC_ENTRY_SYMBOL "onc_get_api_v1"

#ifdef __cplusplus
}
#endif
#endif
