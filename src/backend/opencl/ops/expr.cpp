// EXPR: chooses how a tape runs, and runs it: one kernel, or two where a reduction is split into segments.
#include <algorithm>

#include "expr/program.hpp"
#include "ops/launching.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"

namespace oncilla::ocl {

namespace {

constexpr int64_t kMaxSegments = 256;
constexpr int64_t kSplitWork = 16384;  // elements below which two stages cost more than they spread
constexpr int64_t kTileVectors = 4;    // of a row that shares a vector of results with others
constexpr size_t kPlain = 4;           // instructions: an input, a conversion, a factor, a sum

struct Parameters {
  int64_t width, vectors, local, items, want, across, chains;

  // plain: a sum that is written out for many vectors without compiling for long.
  Parameters(const Device& device, const kit::OpDesc& desc, uint32_t dtype, const char* shape_class, bool plain = false) {
    const Tuning row = tuned(device, desc, dtype, shape_class);
    width = row.get("width");
    vectors = row.get("vectors");
    local = row.get("local");
    items = row.get("items");
    want = row.get("want");
    across = row.get(plain ? "across_plain" : "across");
    chains = row.get("chains");
  }
};

// One kernel with all that does not change from run to run.
struct Stage {
  Program program;
  Kernel kernel;
  Range global, local;
};

void set_field(Program& program, const std::string& name, int64_t value) {
  for (auto& field : program.space) {
    if (field.first == name) field.second = value;
  }
}

int64_t get_field(const Program& program, const std::string& name) {
  for (const auto& field : program.space) {
    if (field.first == name) return field.second;
  }
  return 0;
}

class ExprPlan final : public onc_plan {
 public:
  ExprPlan(Device& device, kit::OpDesc description, uint32_t scalars) : onc_plan(std::move(description), scalars), device_(device) {
    const Expression expression(desc);
    dtype_ = desc.output(0).dtype;
    support_tape(device_, desc);
    const bool nothing = expression.layout().kept_numel() == 0;
    expression.reduces() ? choose_reduction(expression, nothing) : choose_pointwise(expression, nothing);
    count(expression);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    for (Stage& stage : stages_) {
      stage.kernel.launch_with(queue, stage.global, stage.local,
                               [&](Kernel::Arguments& arguments) { bind(stage.program, run, arguments); });
    }
  }

 private:
  void bind(const Program& program, const kit::RunArgs& run, Kernel::Arguments& arguments) const {
    for (uint32_t i : program.inputs) arguments.add(Mem{run.args[i], static_cast<uint32_t>(kit::dtype_bytes(desc.input(i).dtype))});
    for (uint32_t j : program.outputs) {
      arguments.add(Mem{run.args[desc.in.size() + j], static_cast<uint32_t>(kit::dtype_bytes(desc.output(j).dtype))});
    }
    if (program.workspace) arguments.add(Mem{run.workspace, 1});
    add_scalars(arguments, program.scalars, run);
  }

  // Vectors of 64-bit values have half as many elements, so that they fill the same registers.
  static int vector_width(const Expression& expression, int64_t width) {
    return static_cast<int>(std::max<int64_t>(1, expression.wide_values() ? width / 2 : width));
  }

  void choose_pointwise(const Expression& expression, bool nothing) {
    const Layout& layout = expression.layout();
    const int square_dim = expression.square_dim();
    const int64_t least = 2 * Parameters(device_, desc, dtype_, "turned").width;  // below, most of a square would be tails
    const bool turned = square_dim >= 0 && layout.dims[static_cast<size_t>(square_dim)] >= least && layout.dims.back() >= least;
    const char* shape_class = turned ? "turned" : "map";
    const std::string variant = choose_variant(
        device_, desc, dtype_, shape_class,
        {{"vector"}, {"scalar"}, {"square", square_dim >= 0, "an input that is contiguous along another dim than the output"}},
        info);
    if (nothing) return;
    const Parameters row(device_, desc, dtype_, shape_class);
    Shape shape;
    shape.form = variant == "square" ? Form::square : Form::pointwise;
    // Rows shorter than a vector would be all tail.
    const bool short_rows = layout.kept() > 1 && layout.dims[layout.kept() - 1] < vector_width(expression, row.width);
    const bool scalar = variant == "scalar" || (short_rows && desc.variant.empty());
    shape.width = scalar ? 1 : vector_width(expression, row.width);
    shape.chunk = shape.width * row.vectors;
    shape.wide_index = expression.wide_index();
    Program program = expression.program(shape);
    const int64_t units = get_field(program, "kept");
    add_stage(std::move(program), shape, units, 1, row);
  }

  void choose_reduction(const Expression& expression, bool nothing) {
    const Layout& layout = expression.layout();
    const bool column = expression.column_contiguous();
    const auto& insts = desc.tape->insts;
    const bool plain = insts.size() <= kPlain && std::none_of(insts.begin(), insts.end(), [](const onc_expr_inst& i) {
                         return i.op > ONC_EX_REDUCE_SUM && i.op <= ONC_EX_REDUCE_ARGMAX;
                       });
    const Parameters basic(device_, desc, dtype_, column ? "column" : "row", plain);
    const int64_t wanted = basic.want * device_.compute_units();
    const int width = vector_width(expression, basic.width);
    const int64_t parallel = column ? ceil_div(layout.kept_numel(), width * basic.across) : layout.kept_numel();
    const bool split = parallel < wanted && layout.kept_numel() * layout.reduced_numel() >= kSplitWork;
    const char* shape_class = column ? (split ? "column_split" : "column") : (split ? "row_split" : "row");
    const std::string variant =
        choose_variant(device_, desc, dtype_, shape_class,
                       {{"item"}, {"group"}, {"column"}, {"item_two_stage"}, {"group_two_stage"}, {"column_two_stage"}}, info);
    if (nothing) return;

    const bool across = variant.starts_with("column"), together = variant.starts_with("group");
    const Parameters row(device_, desc, dtype_, across ? "column" : "row", plain);
    Shape shape;
    shape.form = across ? Form::column : together ? Form::group : Form::item;
    shape.width = vector_width(expression, row.width);
    // Rows shorter than a vector would be all tail, unless there is one row only.
    const int64_t axis =
        across ? (layout.kept() > 0 ? layout.dims[layout.kept() - 1] : 1) : (layout.reduced > 0 ? layout.dims.back() : 1);
    const bool simple = expression.simple(), partial = variant.ends_with("two_stage");
    if (variant == "item" && simple && layout.reduced == 1 && axis <= kTileVectors * shape.width && shape.width > 1 &&
        layout.kept_numel() > 1) {
      shape.form = Form::tile;
    } else if (!across && axis < shape.width && layout.dims.size() > 1) {
      shape.width = 1;
    }
    shape.chunk = across ? 16 * row.vectors : shape.width * row.vectors;
    // Vectors beside the last column would have nothing to do.
    shape.across = across && axis > shape.width ? static_cast<int>(row.across) : 1;
    if (simple && shape.width > 1 && (shape.form == Form::item || (across && shape.across == 1))) {
      shape.chains = static_cast<int>(row.chains);
    }
    shape.group = together ? group_items(row) : 1;
    shape.wide_index = expression.wide_index();
    shape.partial = partial;
    reduce_in_stages(expression, shape, row);
  }

  // A group is a tree, so a power of two; where work-groups of one item are the rule, a few.
  int group_items(const Parameters& row) const {
    return static_cast<int>(group_size(device_, static_cast<size_t>(std::max<int64_t>(16, row.local))));
  }

  void reduce_in_stages(const Expression& expression, const Shape& shape, const Parameters& row) {
    Program first = expression.program(shape);
    const int64_t kept = get_field(first, "kept"), units = get_field(first, "units"), total = get_field(first, "total");
    int64_t segments = 1;
    if (shape.partial) {
      segments = std::clamp<int64_t>(ceil_div(2 * row.want * device_.compute_units(), std::max<int64_t>(1, kept)), 2, kMaxSegments);
      segments = std::clamp<int64_t>(segments, 1, std::max<int64_t>(1, units));
    }
    const int64_t segment_units = ceil_div(std::max<int64_t>(1, units), segments);
    segments = std::max<int64_t>(1, ceil_div(units, segment_units));
    set_field(first, "segment_units", segment_units);
    // Each part of the states has eight bytes an element, so that the order of types does not matter.
    const auto place_parts = [&](Program& program) {
      for (int part = 0; part < 2 * 64; ++part) set_field(program, kit::cat("ws", part), part * 8 * segments * total);
    };
    place_parts(first);
    add_stage(std::move(first), shape, kept, segments, row);
    if (!shape.partial) return;

    Shape last;
    last.form = Form::finish;
    last.wide_index = shape.wide_index;
    Program finish = expression.program(last);
    set_field(finish, "segments", segments);
    place_parts(finish);
    info.workspace_bytes = expression.state_bytes() * static_cast<uint64_t>(segments * total);
    kit::support(shape.wide_index || info.workspace_bytes < (uint64_t{1} << 31), "[expr] a workspace of ", info.workspace_bytes,
                 " bytes");
    add_stage(std::move(finish), last, total, 1, row);
  }

  // A device takes only so many bytes of arguments: 1024 at the least.
  void check_parameters(const Program& program, size_t space) const {
    const size_t tensors = program.inputs.size() + program.outputs.size() + (program.workspace ? 1 : 0);
    const size_t bytes = tensors * 16 + program.scalars.size() * 8 + space;
    const size_t limit = device_.id().getInfo<CL_DEVICE_MAX_PARAMETER_SIZE>();
    kit::support(bytes <= limit, "[expr] ", tensors, " tensors of rank ", desc.tape->rank, " need ", bytes,
                 " bytes of kernel arguments; the device takes ", limit);
  }

  void add_stage(Program program, const Shape& shape, int64_t units, int64_t segments, const Parameters& row) {
    const bool group = shape.form == Form::group;
    const int64_t local = group ? shape.group : std::min<int64_t>(row.local, static_cast<int64_t>(device_.max_work_group()));
    const int64_t most = row.items > 0 ? std::max<int64_t>(1, row.items * device_.compute_units() / segments) : 0;
    const Spread spread = spread_units(units, most, group ? 1 : local);
    set_field(program, "per_item", spread.per_item);
    set_field(program, "item_step", spread.item_step);
    set_field(program, "unit_step", spread.unit_step);
    Stage stage;
    stage.kernel = device_.kernel(program.file, program.entry, {}, program.prelude);
    const std::vector<unsigned char> space = program.space_bytes(shape.wide_index);
    check_parameters(program, space.size());
    const auto shared = static_cast<cl_uint>(2 * (program.inputs.size() + program.outputs.size() + (program.workspace ? 1 : 0)) +
                                             program.scalars.size());
    stage.kernel.set_shared(shared, space.size(), space.data());
    stage.global = {static_cast<size_t>(group ? spread.items * shape.group : spread.items), static_cast<size_t>(segments), 1};
    stage.local = {static_cast<size_t>(local), 1, 1};
    stage.program = std::move(program);
    stages_.push_back(std::move(stage));
  }

  // One operation an instruction and element; each element that exists in memory read or written once.
  void count(const Expression& expression) {
    uint64_t operations = 0;
    for (const onc_expr_inst& inst : desc.tape->insts) operations += kit::inst_arity(inst.op) > 0 ? 1 : 0;
    const auto full = static_cast<uint64_t>(expression.layout().kept_numel() * expression.layout().reduced_numel());
    info.flops = operations * full;
    const auto touched = [](const kit::Tensor& tensor) {
      uint64_t n = kit::dtype_bytes(tensor.dtype);
      for (size_t d = 0; d < tensor.dims.size(); ++d)
        n *= tensor.strides[d] == 0 && tensor.dims[d] > 0 ? 1 : static_cast<uint64_t>(tensor.dims[d]);
      return n;
    };
    for (const auto& tensor : desc.in) info.bytes += touched(*tensor);
    for (const auto& tensor : desc.out) info.bytes += touched(*tensor);
  }

  Device& device_;
  uint32_t dtype_ = ONC_F32;
  std::vector<Stage> stages_;
};

}  // namespace

std::unique_ptr<onc_plan> make_expr(Device& device, kit::OpDesc desc) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<ExprPlan>(device, std::move(desc), scalars);
}

}  // namespace oncilla::ocl
