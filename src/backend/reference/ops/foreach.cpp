// FOREACH: one tape over lists of contiguous tensors, tensor by tensor.
#include "interpreter.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {
namespace {

// How many elements tensor t of the lists has; an input of one element broadcasts.
int64_t list_numel(const kit::OpDesc& desc, uint32_t t) {
  if (!desc.out.empty()) return desc.output(t).numel();
  return 0;
}

void run_tensor(const Call& call, uint32_t t) {
  const kit::OpDesc& desc = call.desc();
  const uint32_t n = desc.foreach_tensors;
  const kit::Tape& tape = *desc.tape;
  const kit::Dims dims{list_numel(desc, t)};
  std::vector<std::vector<Number>> inputs;
  Leaves leaves;
  for (size_t list = 0; list < desc.in.size() / n; ++list) {
    inputs.push_back(call.read_numbers(list * n + t));
    leaves.input_dtypes.push_back(desc.input(list * n + t).dtype);
  }
  leaves.load = [&](uint32_t list, uint64_t element) { return inputs[list].size() == 1 ? inputs[list][0] : inputs[list][element]; };
  leaves.scalars = call.scalars().subspan(0, tape.n_scalars);
  leaves.tensor_scalars = call.scalars().subspan(tape.n_scalars + size_t{t} * tape.n_tensor_scalars, tape.n_tensor_scalars);
  const auto results = interpret(tape, dims, leaves);
  for (size_t list = 0; list < results.size(); ++list) {
    const uint16_t from = tape.insts[tape.outs[list]].dtype;
    std::vector<Number> stored;
    for (const Number& value : results[list]) stored.push_back(convert(value, from, desc.output(list * n + t).dtype));
    call.write_numbers(list * n + t, stored);
  }
}

}  // namespace

std::unique_ptr<onc_plan> make_foreach(kit::OpDesc desc) {
  uint64_t elements = 0;
  for (uint32_t t = 0; t < desc.foreach_tensors; ++t) elements += static_cast<uint64_t>(list_numel(desc, t));
  const uint64_t flops = elements * desc.tape->insts.size();
  return make_plan(std::move(desc), flops, [](const Call& call) {
    for (uint32_t t = 0; t < call.desc().foreach_tensors; ++t) run_tensor(call, t);
  });
}

}  // namespace oncilla::reference
