// Epilogues: the tape that MATMUL and CONV apply to their result. It is an EXPR whose first input is the result, so that EXPR's own
// rules check it.
#include "kit/desc.hpp"
#include "kit/structs.hpp"

namespace oncilla::kit {
namespace {

// What an epilogue may not hold, because there is no iteration space of its own.
bool of_the_element(uint16_t op) {
  return op != ONC_EX_COORD && op != ONC_EX_PHILOX && op != ONC_EX_GATHER && op != ONC_EX_TENSOR_SCALAR &&
         (op < ONC_EX_REDUCE_SUM || op > ONC_EX_REDUCE_ARGMAX);
}

// The result, then the descriptor's inputs behind the op's own. All have the output's dims.
std::vector<std::optional<Tensor>> epilogue_inputs(const OpDesc& desc) {
  const Tensor& out = desc.output(0);
  Tensor result{accumulator_dtype(out.dtype), out.dims, Dims(out.dims.size())};
  int64_t step = 1;
  for (size_t d = out.dims.size(); d-- > 0;) {
    result.strides[d] = step;
    step *= std::max<int64_t>(out.dims[d], 1);
  }
  std::vector<std::optional<Tensor>> inputs = {result};
  for (size_t i = kEpilogueInput; i < desc.in.size(); ++i) inputs.push_back(desc.in[i]);
  return inputs;
}

// The pointer of the op's attributes, which the plan is not to keep.
template <class A>
const onc_epilogue* take_pointer(OpDesc& desc) {
  auto attrs = desc.attributes<A>();
  const onc_epilogue* pointer = attrs.epilogue;
  attrs.epilogue = nullptr;
  std::memcpy(desc.attrs.data(), &attrs, sizeof(attrs));
  return pointer;
}

}  // namespace

uint32_t accumulator_dtype(uint32_t dtype) {
  if (dtype_kind(dtype) == 'f') return dtype == ONC_F64 ? dtype : static_cast<uint32_t>(ONC_F32);
  return dtype == ONC_I64 ? dtype : static_cast<uint32_t>(ONC_I32);
}

void parse_epilogue(OpDesc& desc) {
  const char* op = desc.name();
  const size_t n_in = desc.in.size();
  if ((desc.attributes<onc_no_attrs>().flags & ONC_ATTRS_EPILOGUE) == 0) {
    require(n_in <= kEpilogueInput, "[", op, "] ", n_in, " inputs without an epilogue are more than ", kEpilogueInput);
    return;
  }
  const onc_epilogue* pointer =
      desc.op == ONC_OP_MATMUL ? take_pointer<onc_matmul_attrs>(desc) : take_pointer<onc_conv_attrs>(desc);
  const onc_epilogue given = read_struct(op, "epilogue", pointer);
  require(given.n_inputs == (n_in > kEpilogueInput ? n_in - kEpilogueInput : 0), "[", op, "] ", n_in,
          " inputs do not end with the ", given.n_inputs, " of the epilogue behind ", kEpilogueInput);
  require(desc.has_out(0), "[", op, "] output 0 is absent");
  const Tensor& out = desc.output(0);
  for (size_t i = kEpilogueInput; i < n_in; ++i) {
    require(desc.has_in(i), "[", op, "] input ", i, " (of the epilogue) is absent");
    require(desc.input(i).dims == out.dims, "[", op, "] input ", i, " (of the epilogue) is ", desc.input(i), ", but the output ",
            out);
  }
  require(given.insts != nullptr || given.n_insts == 0, "[", op, "] insts of the epilogue is NULL");
  for (uint32_t i = 0; i < given.n_insts; ++i)
    require(of_the_element(given.insts[i].op), "[", op, "] instruction ", i, " (", inst_name(given.insts[i].op),
            "): an epilogue has none such");
  require(given.out < given.n_insts, "[", op, "] the epilogue's result is value ", given.out, " of ", given.n_insts);

  // EXPR's rules, under this op's name.
  OpDesc as_expr;
  as_expr.op = desc.op;
  as_expr.in = epilogue_inputs(desc);
  const auto value = static_cast<uint16_t>(given.out);
  onc_expr_attrs tape{};
  tape.size = sizeof(tape);
  tape.rank = out.rank();
  tape.n_insts = given.n_insts;
  tape.n_outs = 1;
  tape.n_scalars = given.n_scalars;
  tape.dims = out.dims.data();
  tape.insts = given.insts;
  tape.outs = &value;
  desc.epilogue = parse_tape(tape, as_expr);
}

OpDesc epilogue_expr(const OpDesc& desc) {
  OpDesc expr;
  expr.op = ONC_OP_EXPR;
  expr.in = epilogue_inputs(desc);
  expr.out = {desc.output(0)};
  expr.tape = desc.epilogue;
  return expr;
}

}  // namespace oncilla::kit
