// EXPR by interpretation, for tapes of float32 and bool values without reductions. A value is a float here, a bool one is 0 or 1.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "host.hpp"

namespace sample {
namespace {

using Function = float (*)(float a, float b);

float nan_or(float a, float b, float otherwise) { return std::isnan(a) ? a : std::isnan(b) ? b : otherwise; }

// Nothing for an opcode that is not served.
Function function_of(uint16_t op) {
  switch (op) {
    case ONC_EX_ADD:
      return [](float a, float b) { return a + b; };
    case ONC_EX_SUB:
      return [](float a, float b) { return a - b; };
    case ONC_EX_MUL:
      return [](float a, float b) { return a * b; };
    case ONC_EX_DIV:
      return [](float a, float b) { return a / b; };
    case ONC_EX_NEG:
      return [](float a, float) { return -a; };
    case ONC_EX_ABS:
      return [](float a, float) { return std::fabs(a); };
    case ONC_EX_MAXIMUM:
      return [](float a, float b) { return nan_or(a, b, std::fmax(a, b)); };
    case ONC_EX_MINIMUM:
      return [](float a, float b) { return nan_or(a, b, std::fmin(a, b)); };
    case ONC_EX_SQRT:
      return [](float a, float) { return std::sqrt(a); };
    case ONC_EX_EXP:
      return [](float a, float) { return std::exp(a); };
    case ONC_EX_LOG:
      return [](float a, float) { return std::log(a); };
    case ONC_EX_TANH:
      return [](float a, float) { return std::tanh(a); };
    case ONC_EX_EQ:
      return [](float a, float b) { return a == b ? 1.0f : 0.0f; };
    case ONC_EX_LT:
      return [](float a, float b) { return a < b ? 1.0f : 0.0f; };
    case ONC_EX_GT:
      return [](float a, float b) { return a > b ? 1.0f : 0.0f; };
    default:
      return nullptr;
  }
}

bool is_served(uint32_t dtype) { return dtype == ONC_F32 || dtype == ONC_BOOL; }

float load(const std::byte* at, uint32_t dtype) {
  if (dtype == ONC_BOOL) return *at != std::byte{0} ? 1.0f : 0.0f;
  float value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

void store(std::byte* at, uint32_t dtype, float value) {
  if (dtype == ONC_BOOL)
    *at = value != 0 ? std::byte{1} : std::byte{0};
  else
    std::memcpy(at, &value, sizeof value);
}

// What the border has validated is only declined here, a sentence each.
void check_served(const kit::OpDesc& desc) {
  const kit::Tape& tape = *desc.tape;
  kit::support(tape.reduce_rank == 0, "[expr] the sample plugin has no reductions");
  for (const auto* side : {&desc.in, &desc.out}) {
    for (const auto& tensor : *side)
      kit::support(!tensor || is_served(tensor->dtype), "[expr] the sample plugin has no ",
                   kit::dtype_name(tensor ? tensor->dtype : 0));
  }
  for (const onc_expr_inst& inst : tape.insts) {
    const bool leaf = inst.op == ONC_EX_INPUT || inst.op == ONC_EX_CONST || inst.op == ONC_EX_SCALAR || inst.op == ONC_EX_CAST ||
                      inst.op == ONC_EX_WHERE;
    kit::support(leaf || function_of(inst.op) != nullptr, "[expr] the sample plugin has no ", kit::inst_name(inst.op));
    kit::support(is_served(inst.dtype), "[expr] the sample plugin has no ", kit::dtype_name(inst.dtype), " values");
  }
}

float evaluate(const onc_expr_inst& inst, const std::vector<float>& values, const std::vector<float>& inputs,
               const kit::RunArgs& args) {
  const bool truth = inst.dtype == ONC_BOOL;
  switch (inst.op) {
    case ONC_EX_INPUT:
      return truth ? inputs[inst.a] != 0 : inputs[inst.a];
    case ONC_EX_CONST:
      return truth ? inst.imm.i != 0 : static_cast<float>(inst.imm.f);
    case ONC_EX_SCALAR:
      return truth ? args.scalars[inst.a].i != 0 : static_cast<float>(args.scalars[inst.a].f);
    case ONC_EX_CAST:
      return truth ? values[inst.a] != 0 : values[inst.a];
    case ONC_EX_WHERE:
      return values[inst.a] != 0 ? values[inst.b] : values[inst.c];
    default: {
      const float b = kit::inst_arity(inst.op) > 1 ? values[inst.b] : 0;
      return function_of(inst.op)(values[inst.a], b);
    }
  }
}

void run_expr(const Plan& plan, const kit::RunArgs& args) {
  const kit::OpDesc& desc = plan.desc;
  const kit::Tape& tape = *desc.tape;
  std::vector<std::vector<int64_t>> places;  // of each tensor's elements
  for (const auto* side : {&desc.in, &desc.out}) {
    for (const auto& tensor : *side) places.push_back(offsets(*tensor));
  }
  std::vector<float> inputs(desc.in.size()), values(tape.insts.size());
  const size_t n = places.empty() ? 0 : places.front().size();
  for (size_t i = 0; i < n; ++i) {
    // All inputs of an element are read before its outputs are written: an output may be an input's memory.
    for (size_t t = 0; t < inputs.size(); ++t) {
      const uint32_t dtype = desc.input(t).dtype;
      inputs[t] = load(address(args.args[t]) + places[t][i] * static_cast<int64_t>(kit::dtype_bytes(dtype)), dtype);
    }
    for (size_t v = 0; v < values.size(); ++v) values[v] = evaluate(tape.insts[v], values, inputs, args);
    for (size_t o = 0; o < desc.out.size(); ++o) {
      const uint32_t dtype = desc.output(o).dtype;
      const size_t t = inputs.size() + o;
      store(address(args.args[t]) + places[t][i] * static_cast<int64_t>(kit::dtype_bytes(dtype)), dtype, values[tape.outs[o]]);
    }
  }
}

}  // namespace

std::unique_ptr<onc_plan> make_expr(kit::OpDesc desc) {
  check_served(desc);
  const uint32_t n_scalars = kit::scalar_count(desc);
  return std::make_unique<Plan>(std::move(desc), n_scalars, run_expr);
}

}  // namespace sample
