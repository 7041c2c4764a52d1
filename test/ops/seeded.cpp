// Walks the defects that the faulty plugin knows. The plugin reads ONCILLA_TEST_DEFECT at every call.
#include "ops/seeded.hpp"

#include <cstdlib>
#include <iostream>

#include "ops/session.hpp"

namespace oncilla::test {
namespace {

// A defect, and what a failure that it causes must say; a defect that is caught for another reason proves nothing.
struct Defect {
  const char* name;
  const char* symptom;
};
constexpr Defect kDefects[] = {
    {"perturb_element", "differ"},           // one element off by more than the tolerance
    {"perturb_last", "differ"},              // the same for the last element
    {"swap_elements", "differ"},             // right values, wrong places
    {"nan_for_number", "is nan, expected"},  // NaN where a number belongs
    {"number_for_nan", "expected nan"},      // and the other way round
    {"negate_infinity", "expected inf"},     // the sign of an infinity
    {"off_by_one_integer", "differ"},        // an arg-reduction or index that is one too large
    {"skip_last", "differ"},                 // an element that is never written
    {"read_output", "second run"},           // a result that depends on what the output held before
    {"past_end", "past the end of output"},  // one element behind the output
    {"before_start", "before output"},       // one element in front of it
    {"into_gap", "a gap between elements"},  // between the rows of a strided output
    {"write_input", "of an input"},          // an input changed
    {"past_workspace", "past the end of the workspace"},
    {"flaky", "second run"},              // the last bit differs between two runs
    {"other_variant", "forced was"},      // the forced variant is not the one that runs
    {"decline", "declined on purpose"},   // a plan that is refused
    {"fail_run", "failed on purpose"},    // plan_run gives an error
    {"fail_later", "failed on purpose"},  // the queue gives it when it is finished
    {"no_candidates", "no candidates"},
};

bool is_caught(const Defect& defect, const Cases& cases, Bench& tested, Bench& reference, std::string& how) {
  for (const Case& c : cases) {
    for (const Result& result : run_case(c, tested, reference, {"", true})) {
      if (result.state != Result::State::failed) continue;
      if (result.message.find(defect.symptom) == std::string::npos) continue;
      how = result.name + ": " + result.message;
      return true;
    }
  }
  return false;
}

}  // namespace

int run_seeded(const Cases& cases, const std::string& plugin, Bench& reference) {
  unsetenv("ONCILLA_TEST_DEFECT");
  Bench tested(backend_of(plugin), 0);
  size_t caught = 0, missed = 0;
  std::string how;
  // Without a defect the plugin must pass, or catching one means nothing.
  for (const Case& c : cases) {
    for (const Result& result : run_case(c, tested, reference, {"", true})) {
      if (result.state == Result::State::passed) continue;
      std::cout << "FAILED without a defect: " << result.name << ": " << result.message << std::endl;
      ++missed;
    }
  }
  for (const Defect& defect : kDefects) {
    setenv("ONCILLA_TEST_DEFECT", defect.name, 1);
    const bool found = is_caught(defect, cases, tested, reference, how);
    std::cout << (found ? "caught " : "MISSED ") << defect.name << (found ? " by " + how : "") << std::endl;
    ++(found ? caught : missed);
  }
  unsetenv("ONCILLA_TEST_DEFECT");
  std::cout << caught << " passed, " << missed << " failed" << std::endl;
  return missed == 0 ? 0 : 1;
}

}  // namespace oncilla::test
