// Which devices a host sees: none, all, or those that ONCILLA_DEVICES selects.
#include <doctest/doctest.h>

#include "fake.hpp"

using namespace oncilla;

namespace {

std::vector<uint32_t> indices(const Registry::Listing& listing) {
  std::vector<uint32_t> result;
  for (const auto& entry : listing.entries) result.push_back(entry.index);
  return result;
}

}  // namespace

TEST_CASE("registry: no devices is a reason, not an error") {
  fake::reset().devices = 0;
  auto listing = Registry::list({fake::backend()}, nullptr);
  CHECK(listing.entries.empty());
  REQUIRE(listing.problems.size() == 1);
  CHECK(listing.problems[0] == "[registry] plugin fake found no device");
  fake::state().fail_count = 1;
  listing = Registry::list({fake::backend()}, nullptr);
  REQUIRE(listing.problems.size() == 1);
  CHECK(listing.problems[0] == "[fake] no platform: install one");
  CHECK(Registry::list({}, nullptr).entries.empty());
}

TEST_CASE("registry: one plugin's failure leaves the others' devices") {
  fake::reset();
  fake::state().fail_count = 1;
  const auto listing = Registry::list({fake::backend(), fake::backend()}, "");
  CHECK(listing.entries.size() == 1);
  CHECK(listing.problems.size() == 1);
}

TEST_CASE("registry: selection and order") {
  fake::reset().devices = 3;
  const std::vector<std::shared_ptr<Backend>> one{fake::backend()};
  CHECK(indices(Registry::list(one, nullptr)) == std::vector<uint32_t>{0, 1, 2});
  CHECK(indices(Registry::list(one, "2,0")) == std::vector<uint32_t>{2, 0});
  CHECK(indices(Registry::list(one, "1")) == std::vector<uint32_t>{1});
  CHECK(Registry::list(one, "2,0").entries[0].info.name == std::string("fake two"));
  for (const char* bad : {"3", "0,3", "x", "0,", ",", "-1", "0 1", "0,0", "99999999999999999999", " 0"}) {
    const auto listing = Registry::list(one, bad);
    CAPTURE(bad);
    CHECK(listing.entries.empty());
    REQUIRE(listing.problems.size() == 1);
    CHECK(listing.problems[0].find(std::string("ONCILLA_DEVICES=") + bad) != std::string::npos);
  }
}

TEST_CASE("registry: the process's own registry names an index that does not exist") {
  Registry& registry = Registry::get();
  const auto count = registry.entries().size();
  try {
    registry.device(static_cast<uint32_t>(count) + 5);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ONC_NOT_FOUND);
    CHECK(std::string(error.what()).find("no device " + std::to_string(count + 5) + "; found " + std::to_string(count)) !=
          std::string::npos);
  }
  CHECK((count > 0 || !registry.problems().empty()));
}

TEST_CASE("registry: plugins by name") {
  for (const char* bad : {"", "../evil", "Op", "a b", "a/b"}) CHECK_THROWS_AS(Backend::named(bad), Error);
  CHECK_THROWS_WITH_AS(Backend::named("nothing_here"), doctest::Contains("'nothing_here' is not part of this installation"), Error);
}
