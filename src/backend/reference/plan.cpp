// Dense views of strided memory, and the plan around an op's function.
#include "plan.hpp"

#include <cstdlib>
#include <new>

namespace oncilla::reference {
namespace {

constexpr size_t kAlign = 64;

class Plan final : public onc_plan {
 public:
  Plan(kit::OpDesc desc, uint32_t n_scalars, std::function<void(const Call&)> run)
      : onc_plan(std::move(desc), n_scalars), run_(std::move(run)) {}
  void run(onc_queue& queue, const kit::RunArgs& args) override {
    static_cast<LaunchQueue&>(queue).count_launch();
    run_(Call(desc, args));
  }

 private:
  std::function<void(const Call&)> run_;
};

uint64_t traffic(const std::vector<std::optional<kit::Tensor>>& tensors) {
  uint64_t bytes = 0;
  for (const auto& tensor : tensors) {
    if (tensor) bytes += static_cast<uint64_t>(tensor->span()) * kit::dtype_bytes(tensor->dtype);
  }
  return bytes;
}

}  // namespace

Buffer::Buffer(uint64_t bytes, std::function<void()> on_free)
    : bytes_(bytes),
      data_(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{kAlign}))),
      on_free_(std::move(on_free)) {}

Buffer::~Buffer() {
  ::operator delete(data_, std::align_val_t{kAlign});
  on_free_();
}

std::byte* address(const onc_arg& at) { return static_cast<const Buffer*>(at.buffer)->data() + at.offset; }

int64_t product(const kit::Dims& dims, size_t begin, size_t end) {
  int64_t result = 1;
  for (size_t d = begin; d < end; ++d) result *= dims[d];
  return result;
}

std::vector<int64_t> offsets(const kit::Tensor& tensor) {
  std::vector<int64_t> result(static_cast<size_t>(tensor.numel()));
  kit::Dims index(tensor.dims.size(), 0);
  int64_t offset = 0;
  for (auto& slot : result) {
    slot = offset;
    for (size_t d = index.size(); d-- > 0;) {  // the next index, last dim fastest
      offset += tensor.strides[d];
      if (++index[d] < tensor.dims[d]) break;
      offset -= tensor.strides[d] * tensor.dims[d];
      index[d] = 0;
    }
  }
  return result;
}

std::vector<Number> Call::read_numbers(size_t input) const {
  if (!desc_.has_in(input)) return {};
  const kit::Tensor& tensor = desc_.input(input);
  std::vector<Number> values;
  if (tensor.numel() == 0) return values;
  const std::byte* data = address(run_.args[input]);
  const auto bytes = static_cast<int64_t>(kit::dtype_bytes(tensor.dtype));
  for (int64_t offset : offsets(tensor)) values.push_back(load(data + offset * bytes, tensor.dtype));
  return values;
}

void Call::write_numbers(size_t output, const std::vector<Number>& values) const {
  if (!desc_.has_out(output)) return;
  const kit::Tensor& tensor = desc_.output(output);
  if (tensor.numel() == 0) return;
  std::byte* data = address(run_.args[desc_.in.size() + output]);
  const auto bytes = static_cast<int64_t>(kit::dtype_bytes(tensor.dtype));
  size_t i = 0;
  for (int64_t offset : offsets(tensor)) store(data + offset * bytes, tensor.dtype, values.at(i++));
}

std::vector<double> Call::read(size_t input) const {
  std::vector<double> values;
  for (const Number& number : read_numbers(input)) values.push_back(number.f);
  return values;
}

std::vector<int64_t> Call::read_int(size_t input) const {
  std::vector<int64_t> values;
  for (const Number& number : read_numbers(input)) values.push_back(number.i);
  return values;
}

void Call::write(size_t output, const std::vector<double>& values) const {
  std::vector<Number> numbers;
  for (double value : values) numbers.push_back({.f = value});
  write_numbers(output, numbers);
}

void Call::write_int(size_t output, const std::vector<int64_t>& values) const {
  std::vector<Number> numbers;
  for (int64_t value : values) numbers.push_back({.i = value});
  write_numbers(output, numbers);
}

std::unique_ptr<onc_plan> make_plan(kit::OpDesc desc, uint64_t flops, std::function<void(const Call&)> run) {
  if (!desc.variant.empty() && desc.variant != "reference") {
    throw kit::Error(ONC_NOT_FOUND,
                     kit::cat("[", desc.name(), "] no variant \"", desc.variant, "\": the reference plugin has \"reference\""));
  }
  const uint32_t n_scalars = kit::scalar_count(desc);
  auto plan = std::make_unique<Plan>(std::move(desc), n_scalars, std::move(run));
  plan->info = {.variant = "reference",
                .candidates = "reference",
                .workspace_bytes = 0,
                .flops = flops,
                .bytes = traffic(plan->desc.in) + traffic(plan->desc.out)};
  return plan;
}

}  // namespace oncilla::reference
