#include "expr/epilogue.hpp"

#include <algorithm>

#include "expr/tape_writer.hpp"
#include "expr/types.hpp"

namespace oncilla::ocl {
namespace {

using kit::cat;

// A run-time scalar as its kernel parameter: floating ones by dtype, integers as long.
uint32_t scalar_dtype(uint32_t dtype) { return kit::dtype_kind(dtype) == 'f' ? dtype : static_cast<uint32_t>(ONC_I64); }
std::string scalar_name(uint32_t number, uint32_t dtype) {
  return cat("s", number, dtype == ONC_F32 ? "f" : dtype == ONC_F64 ? "d" : "i");
}

// The result as a value of its dtype: kernels hold integers unsigned.
std::string signed_result(const char* type, int width) {
  const std::string name = type;
  if (name == "uint") return cat("as_", vector_type("int", width), "(x)");
  if (name == "ulong") return cat("as_", vector_type("long", width), "(x)");
  return "x";
}

// The offset of a column in elements.
std::string column_offset(const EpilogueTensor& tensor, const std::string& column) {
  std::string text;
  int64_t faster = 1;
  for (size_t d = tensor.dims.size(); d-- > 0;) {
    const EpilogueTensor::Dim& dim = tensor.dims[d];
    text = cat(column, " / ", faster, " % ", dim.size, " * ", dim.stride, text.empty() ? "" : " + ", text);
    faster *= dim.size;
  }
  return text;
}

}  // namespace

EpilogueText::EpilogueText(const kit::Tape& tape, uint32_t out_dtype, std::vector<EpilogueTensor> tensors, const char* type,
                           int width)
    : tensors_(std::move(tensors)) {
  for (const onc_expr_inst& inst : tape.insts) {
    if (inst.op != ONC_EX_SCALAR) continue;
    const Scalar scalar{inst.a, scalar_dtype(inst.dtype)};
    const auto same = [&](const Scalar& s) { return s.number == scalar.number && s.dtype == scalar.dtype; };
    if (std::none_of(scalars_.begin(), scalars_.end(), same)) scalars_.push_back(scalar);
  }

  const uint32_t result = kit::accumulator_dtype(out_dtype);
  Functions functions;
  std::string bodies;
  const auto write = [&](const char* name, int lanes) {
    const auto leaf = [&](TapeWriter& writer, const onc_expr_inst& inst) {
      if (inst.op == ONC_EX_SCALAR) {
        const uint32_t dtype = scalar_dtype(inst.dtype);
        const std::string scalar = scalar_name(inst.a, dtype);
        return broadcast(dtype == ONC_I64 ? cast_value(scalar, ONC_I64, inst.dtype, 1) : scalar, inst.dtype, writer.width());
      }
      if (inst.a == 0) return from_storage(signed_result(type, lanes), result, inst.dtype, lanes);
      const size_t t = inst.a - 1u;
      const EpilogueTensor& tensor = tensors_[t];
      const std::string e = cat("e", t);
      if (!tensor.dims.empty()) {
        std::string values;
        for (int lane = 0; lane < lanes; ++lane) {
          const std::string offset = cat("row * ", e, "_row + ", column_offset(tensor, cat("(column + ", lane, ")")));
          values += cat(lane ? ", " : "", load_text(functions, {e, offset, 'b', "", "1"}, tensor.dtype, inst.dtype, 1));
        }
        return cat("((", value_type(inst.dtype, lanes), ")(", values, "))");
      }
      const char step = tensor.column == 1 ? 'c' : tensor.column == 0 ? 'b' : 's';
      const Place place{e, cat("row * ", e, "_row + column * ", e, "_column"), step, cat("(I)", e, "_column"), cat(lanes)};
      return load_text(functions, place, tensor.dtype, inst.dtype, lanes);
    };
    TapeWriter writer(tape, functions, lanes, "v", leaf);
    const uint16_t out = tape.outs[0];
    const std::string value = writer.value(out);
    const Place at{"at", "0", 'c', "", cat(lanes)};
    writer.line(store_text(functions, at, value, tape.insts[out].dtype, out_dtype, lanes));
    bodies += cat("static inline void ", name, "(", vector_type(type, lanes), " x, global ", storage_scalar(out_dtype),
                  " *at, long row, long column EPILOGUE_DECLARE) {\n");
    for (const std::string& line : writer.lines()) bodies += "  " + line + "\n";
    bodies += "}\n";
  };
  write("finish_1", 1);
  if (width > 1) write("finish_v", width);

  std::string params, bind, declare, pass;
  for (size_t t = 0; t < tensors_.size(); ++t) {
    const std::string e = cat("e", t), storage = storage_scalar(tensors_[t].dtype);
    params += cat(", ARG(const ", storage, ", ", e, "), long ", e, "_row, long ", e, "_column, long ", e, "_batch");
    bind += cat(" BIND(const ", storage, ", ", e, "); ", e, " += (i) * ", e, "_batch;");
    declare += cat(", global const ", storage, " *", e, ", long ", e, "_row, long ", e, "_column");
    pass += cat(", ", e, ", ", e, "_row, ", e, "_column");
  }
  for (const Scalar& scalar : scalars_) {
    const std::string name = scalar_name(scalar.number, scalar.dtype), text = cat(", ", value_scalar(scalar.dtype), " ", name);
    params += text, declare += text, pass += ", " + name;
  }
  // The rows' text defines T for itself, so that the kernel's is taken away and put back.
  prelude_ = cat("#undef T\n#pragma OPENCL FP_CONTRACT OFF\n#include \"lib/arg.h\"\n#include \"lib/index.h\"\n",
                 "#include \"lib/elementwise.h\"\n#include \"lib/memory.h\"\n#define EPILOGUE 1\n#define EPILOGUE_PARAMS ", params,
                 "\n#define EPILOGUE_BIND(i)", bind, "\n#define EPILOGUE_DECLARE ", declare, "\n#define EPILOGUE_PASS ", pass, "\n",
                 functions.text(), bodies, "#define T ", type, "\n");
}

void EpilogueText::add(Kernel::Arguments& arguments, std::span<const Mem> tensors, std::span<const onc_scalar> scalars) const {
  for (size_t t = 0; t < tensors_.size(); ++t)
    arguments.add(tensors[t]).add(tensors_[t].row).add(tensors_[t].column).add(tensors_[t].batch);
  for (const Scalar& scalar : scalars_) {
    const onc_scalar& value = scalars[scalar.number];
    if (scalar.dtype == ONC_F32) {
      arguments.add(static_cast<float>(value.f));
    } else if (scalar.dtype == ONC_F64) {
      arguments.add(value.f);
    } else {
      arguments.add(static_cast<cl_long>(value.i));
    }
  }
}

}  // namespace oncilla::ocl
