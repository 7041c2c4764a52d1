// The fault tests' main function; doctest's own options apply (--test-case=..., --list-test-cases).
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
