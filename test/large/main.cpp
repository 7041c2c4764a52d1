// The main function of the tests of tensors past 2^31 elements; doctest's own options apply.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
