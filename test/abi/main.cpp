// The tests of the plugin ABI: layout, versions, loading, and the border that the kit gives every plugin.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
