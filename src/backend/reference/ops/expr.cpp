// EXPR: the tape over strided inputs.
#include "interpreter.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_expr(kit::OpDesc desc) {
  const auto elements = static_cast<uint64_t>(product(desc.tape->dims, 0, desc.tape->dims.size()));
  const uint64_t flops = elements * desc.tape->insts.size();
  return make_plan(std::move(desc), flops, [](const Call& call) {
    const kit::OpDesc& desc = call.desc();
    std::vector<std::vector<Number>> inputs;
    Leaves leaves;
    for (size_t i = 0; i < desc.in.size(); ++i) {
      inputs.push_back(call.read_numbers(i));
      leaves.input_dtypes.push_back(desc.has_in(i) ? desc.input(i).dtype : 0);
      leaves.table_sizes.push_back(inputs.back().size());
    }
    leaves.load = [&](uint32_t input, uint64_t element) { return inputs[input][element]; };
    leaves.scalars = call.scalars();
    // A value that needs no reduced dim may be stored on either side: the tensor's rank says which.
    for (size_t j = 0; j < desc.out.size(); ++j) {
      const uint16_t value = desc.tape->outs[j];
      leaves.reduced_outs.push_back(desc.tape->reduced[value] ||
                                    (desc.tape->both[value] && desc.output(j).rank() != desc.tape->rank));
    }
    const auto results = interpret(*desc.tape, desc.tape->dims, leaves);
    for (size_t j = 0; j < results.size(); ++j) {
      const uint16_t from = desc.tape->insts[desc.tape->outs[j]].dtype;
      std::vector<Number> stored;
      for (const Number& value : results[j]) stored.push_back(convert(value, from, desc.output(j).dtype));
      call.write_numbers(j, stored);
    }
  });
}

}  // namespace oncilla::reference
