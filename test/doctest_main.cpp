// The main function of the doctest executables, compiled once; doctest's own options apply (--test-case=..., --list-test-cases).
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
