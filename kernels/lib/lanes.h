// Parts of vectors. V, H: the vector's type, and that of half of it, which for two lanes is a scalar; N: lanes of V. a and b are variables of type V.

// The even lanes of a and then those of b; the odd ones.
#define ONC_EVEN(V, N, a, b) ((V)((a).even, (b).even))
#define ONC_ODD(V, N, a, b) ((V)((a).odd, (b).odd))

// The lower and the upper half.
#define ONC_LOW(H, N, a) ((a).lo)
#define ONC_HIGH(H, N, a) ((a).hi)
