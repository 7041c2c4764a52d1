// What the rows of elementwise.def and the generated text around them call. ONC_FLOATING(T) and ONC_INTEGER(T) define, for one type, the helpers that
// its rows name; the generated text asks for those that it uses.

// A choice: for scalars by truth, for vectors lane by lane.
#define SEL(condition, x, y) ((condition) ? (x) : (y))

// x where least <= x < -least, else least: the bounds of an integer type.
#define ONC_BOUNDED(x, least) SEL(((x) >= least) && ((x) < -least), (x), least)

// Where the tables of lib/special lie, and what a pointer to one points to.
#define TABLE constant
#define TABLE_OF constant

// Before a loop over an array that is to live in registers.
#define ONC_UNROLL _Pragma("unroll")

// The remainder that has the sign of b, and the quotient rounded down. The exact multiple of b is taken off first, so that the division
// cannot round up to the next integer. T is float, double or a vector of them.
#define ONC_FLOATING(T)                                                           \
  static inline T onc_remainder_##T(T a, T b) {                                   \
    const T r = fmod(a, b);                                                       \
    return SEL((r != 0) && ((r < 0) != (b < 0)), r + b, r);                       \
  }                                                                               \
  static inline T onc_floor_div_##T(T a, T b) {                                   \
    const T r = fmod(a, b);                                                       \
    const T near = rint((a - r) / b);                                             \
    const T down = SEL((r != 0) && ((r < 0) != (b < 0)), near - (T)(1), near);    \
    return SEL(b == 0, a / b, SEL(down == 0, copysign((T)(0), a / b), down));     \
  }

// As above for integers: by zero 0; by -1 without the quotient that does not exist. T is int or long.
#define ONC_INTEGER(T)                                                            \
  static inline T onc_remainder_int_##T(T a, T b) {                               \
    if (b == 0 || b == -1) return 0;                                              \
    const T r = a % b;                                                            \
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;                              \
  }                                                                               \
  static inline T onc_floor_div_int_##T(T a, T b) {                               \
    if (b == 0) return 0;                                                         \
    if (b == -1) return (T)(0 - (u##T)a);                                         \
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);                \
  }
