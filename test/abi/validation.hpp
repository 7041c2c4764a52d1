// A bad descriptor is a valid one with one thing bent; the error must say which op and which value.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "descriptor.hpp"

struct BadCase {
  std::string name;
  Descriptor (*valid)();
  std::function<void(Descriptor&)> bend;
  std::string fragment;  // of the message
  uint32_t code = ONC_INVALID_ARGUMENT;
};

inline void check_bad_cases(const std::vector<BadCase>& cases) {
  const Fixture f;
  for (const BadCase& bad : cases) {
    CAPTURE(bad.name);
    Descriptor d = bad.valid();
    const Outcome before = d.plan(f);
    CHECK_MESSAGE(before.code == ONC_OK, before);
    bad.bend(d);
    const Outcome after = d.plan(f);
    CAPTURE(after);
    CHECK(after.code == bad.code);
    CHECK(after.has(bad.fragment));
    CHECK(after.text.front() == '[');
  }
}
