// Walks the defects that the faulty plugin knows. The plugin reads ONCILLA_TEST_DEFECT at every call.
#include "ops/seeded.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>

#include "ops/session.hpp"

namespace oncilla::test {
namespace {

// A defect, what a failure that it causes must say (a defect that is caught for another reason proves nothing), and the cases that
// look for it: of an op, by a part of the name.
struct Defect {
  const char* name;
  const char* symptom;
  uint32_t op;
  const char* match = "";
};
constexpr const char* kPool = "max_pool/float32";
constexpr Defect kDefects[] = {
    // Wrong numbers.
    {"perturb_element", "differ", ONC_OP_MAX_POOL, kPool},             // one element off by more than the tolerance
    {"perturb_last", "differ", ONC_OP_MAX_POOL, kPool},                // the same for the last element
    {"swap_elements", "differ", ONC_OP_MAX_POOL, kPool},               // right values, wrong places
    {"nan_for_number", "is nan, expected", ONC_OP_MAX_POOL, kPool},    // NaN where a number belongs
    {"number_for_nan", "expected nan", ONC_OP_MAX_POOL, kPool},        // and the other way round
    {"negate_infinity", "expected inf", ONC_OP_MAX_POOL, kPool},       // the sign of an infinity
    {"off_by_one_integer", "differ", ONC_OP_MAX_POOL, kPool},          // an arg-reduction or index that is one too large
    {"no_tail", "differ", ONC_OP_SOFTMAX, "float32"},                  // the last few elements, less than a vector
    {"dropped_sample", "differ", ONC_OP_SOFTMAX, "float32"},           // the last of a batch repeats the one before
    {"stale_memory", "differ", ONC_OP_SOFTMAX, "float32"},             // an element of an earlier run
    {"lost_sign_of_zero", "is 0, expected -0", ONC_OP_SORT, "zeros"},  // -0 became 0
    {"flushed_denormal", "is 0, expected", ONC_OP_SORT, "zeros"},      // a denormal became 0
    {"truncated_half", "differ", ONC_OP_EXPR, "cast float32 edges"},   // a half rounded towards zero
    {"saturated_integer", "is 2147483647, expected", ONC_OP_EXPR, "int32 extremes"},  // an integer that should have wrapped
    {"unstable_sort", "output 1", ONC_OP_SORT},                                       // equal elements changed places
    // Right answers to other questions.
    {"swapped_strides", "differ", ONC_OP_CONV},
    {"assumed_contiguous", "differ", ONC_OP_SOFTMAX},
    {"aligned_loads", "differ", ONC_OP_SOFTMAX},
    {"ignored_log", "differ", ONC_OP_SOFTMAX},
    {"ignored_alpha", "differ", ONC_OP_MATMUL},
    {"ignored_beta", "differ", ONC_OP_MATMUL},
    {"ignored_momentum", "differ", ONC_OP_BATCH_NORM},
    {"ignored_epsilon", "differ", ONC_OP_LAYER_NORM},
    {"ignored_correction", "differ", ONC_OP_VAR_MEAN},
    {"ignored_scale", "differ", ONC_OP_ATTENTION},
    {"ignored_causal", "differ", ONC_OP_ATTENTION},
    {"ignored_reverse", "differ", ONC_OP_SCAN},
    {"ignored_exclusive", "differ", ONC_OP_SCAN},
    {"ignored_descending", "differ", ONC_OP_SORT},
    {"smallest_for_largest", "differ", ONC_OP_TOP_K},
    {"wrong_side_of_equals", "differ", ONC_OP_SEARCH_SORTED},
    {"forgotten_self", "differ", ONC_OP_SCATTER},
    {"sum_for_mean", "differ", ONC_OP_SCATTER},
    {"counted_padding_row", "differ", ONC_OP_EMBEDDING_BAG},
    {"replicate_for_reflect", "differ", ONC_OP_PAD},
    {"ignored_align_corners", "differ", ONC_OP_UPSAMPLE},
    {"ignored_border", "differ", ONC_OP_GRID_SAMPLE},
    {"ignored_padding_count", "differ", ONC_OP_AVG_POOL},
    {"ignored_divisor", "differ", ONC_OP_AVG_POOL},
    {"counted_ignored_target", "differ", ONC_OP_NLL_LOSS},
    {"ignored_smoothing", "differ", ONC_OP_CROSS_ENTROPY},
    {"sum_for_mean_loss", "differ", ONC_OP_CROSS_ENTROPY},
    {"constant_statistics", "differ", ONC_OP_BATCH_NORM_GRAD},
    {"other_norm", "differ", ONC_OP_FOREACH_NORM},
    {"sum_for_product", "differ", ONC_OP_EXPR, "expr/prod"},
    {"any_for_all", "differ", ONC_OP_EXPR, "expr/any"},
    {"floor_for_trunc", "differ", ONC_OP_EXPR, "specials"},
    // Wrong places and wrong manners.
    {"skip_last", "differ", ONC_OP_MAX_POOL, kPool},                 // an element that is never written
    {"forgotten_output", "output 1", ONC_OP_MAX_POOL, kPool},        // the second output is never written
    {"read_output", "second run", ONC_OP_MAX_POOL, kPool},           // a result that depends on what the output held before
    {"past_end", "past the end of output", ONC_OP_MAX_POOL, kPool},  // one element behind the output
    {"before_start", "before output", ONC_OP_MAX_POOL, kPool},       // one element in front of it
    {"into_gap", "a gap between elements", ONC_OP_MAX_POOL, kPool},  // between the rows of a strided output
    {"write_input", "of an input", ONC_OP_MAX_POOL, kPool},          // an input changed
    {"past_workspace", "past the end of the workspace", ONC_OP_MAX_POOL, kPool},
    {"flaky", "second run", ONC_OP_SOFTMAX, "float32"},           // the last bit differs between two runs
    {"other_variant", "forced was", ONC_OP_MAX_POOL, kPool},      // the forced variant is not the one that runs
    {"decline", "declined on purpose", ONC_OP_MAX_POOL, kPool},   // a plan that is refused
    {"fail_run", "failed on purpose", ONC_OP_MAX_POOL, kPool},    // plan_run gives an error
    {"fail_later", "failed on purpose", ONC_OP_MAX_POOL, kPool},  // the queue gives it when it is finished
    {"no_candidates", "no candidates", ONC_OP_MAX_POOL, kPool},
};

// The first failure of a case that says what the defect must show; nothing if there is none.
std::optional<Result> failure(const Case& c, const char* symptom, Bench& tested, Bench& reference) {
  for (Result& result : run_case(c, tested, reference, {"", true})) {
    if (result.state == Result::State::failed && result.message.find(symptom) != std::string::npos) return std::move(result);
  }
  return std::nullopt;
}

// What became of a defect: "" if it was caught, and `how`; else why not.
std::string hunt(const Defect& defect, const Cases& cases, Bench& tested, Bench& reference, std::string& how) {
  for (const Case& c : cases) {
    if (c.op != defect.op || c.gradient_only || c.name.find(defect.match) == std::string::npos) continue;
    setenv("ONCILLA_TEST_DEFECT", defect.name, 1);
    const auto caught = failure(c, defect.symptom, tested, reference);
    unsetenv("ONCILLA_TEST_DEFECT");
    if (!caught) continue;
    // Without the defect the same case must pass, or catching it means nothing.
    if (const auto without = failure(c, "", tested, reference)) return "also fails without the defect: " + without->message;
    how = caught->name + ": " + caught->message;
    return "";
  }
  return "no case of " + std::string(op_name(defect.op)) + " fails as it should";
}

}  // namespace

int run_seeded(const Cases& cases, const std::string& plugin, Bench& reference) {
  unsetenv("ONCILLA_TEST_DEFECT");
  Bench tested(backend_of(plugin), 0);
  size_t caught = 0, missed = 0;
  for (const Defect& defect : kDefects) {
    std::string how;
    const std::string why_not = hunt(defect, cases, tested, reference, how);
    if (why_not.empty()) {
      ++caught;
      std::cout << "caught " << defect.name << " by " << how << std::endl;
    } else {
      ++missed;
      std::cout << "MISSED " << defect.name << ": " << why_not << std::endl;
    }
  }
  std::cout << caught << " passed, " << missed << " failed" << std::endl;
  return missed == 0 ? 0 : 1;
}

}  // namespace oncilla::test
