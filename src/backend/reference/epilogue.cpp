#include "epilogue.hpp"

#include "interpreter.hpp"

namespace oncilla::reference {

void write_result(const Call& call, std::vector<Number> result, size_t own_scalars) {
  const kit::OpDesc& desc = call.desc();
  if (!desc.epilogue) return call.write_numbers(0, result);
  const kit::Tape& tape = *desc.epilogue;
  const uint32_t dtype = kit::accumulator_dtype(desc.output(0).dtype);
  for (Number& value : result) value = {.f = round_float(value.f, dtype), .i = wrap_int(value.i, dtype)};
  std::vector<std::vector<Number>> inputs = {std::move(result)};
  Leaves leaves;
  leaves.input_dtypes = {dtype};
  for (size_t i = kit::kEpilogueInput; i < desc.in.size(); ++i) {
    inputs.push_back(call.read_numbers(i));
    leaves.input_dtypes.push_back(desc.input(i).dtype);
  }
  leaves.load = [&](uint32_t input, uint64_t element) { return inputs[input][element]; };
  leaves.scalars = call.scalars().subspan(own_scalars);
  const std::vector<std::vector<Number>> results = interpret(tape, tape.dims, leaves);
  std::vector<Number> stored;
  for (const Number& value : results[0]) stored.push_back(convert(value, tape.insts[tape.outs[0]].dtype, desc.output(0).dtype));
  call.write_numbers(0, stored);
}

void write_result(const Call& call, const std::vector<double>& result, size_t own_scalars) {
  std::vector<Number> numbers;
  for (double value : result) numbers.push_back({.f = value});
  write_result(call, std::move(numbers), own_scalars);
}

}  // namespace oncilla::reference
