// EMBEDDING_BAG: a bag is a run of the index list; rows of the padding index and of no row of the table do not count.
#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_embedding_bag(kit::OpDesc desc) {
  const auto attrs = desc.attributes<onc_embedding_bag_attrs>();
  const auto flops = static_cast<uint64_t>(desc.input(1).numel() * desc.input(0).dims[1]);
  return make_plan(std::move(desc), flops, [attrs](const Call& call) {
    const int64_t rows = call.desc().input(0).dims[0], width = call.desc().input(0).dims[1];
    const std::vector<double> weight = call.read(0), scale = call.read(3);
    const std::vector<int64_t> index = call.read_int(1), offset = call.read_int(2);
    const auto n = static_cast<int64_t>(index.size());
    std::vector<double> y(offset.size() * static_cast<size_t>(width), 0);
    std::vector<int64_t> max_index(y.size(), -1), size(offset.size(), 0);
    for (size_t bag = 0; bag < offset.size(); ++bag) {
      const int64_t end = bag + 1 < offset.size() ? std::min(offset[bag + 1], n) : n;
      for (int64_t i = std::max<int64_t>(offset[bag], 0); i < end; ++i) {
        const int64_t row = index[static_cast<size_t>(i)];
        if (row == attrs.padding_index || row < 0 || row >= rows) continue;
        ++size[bag];
        for (int64_t d = 0; d < width; ++d) {
          const double value = weight[static_cast<size_t>(row * width + d)];
          const size_t at = bag * static_cast<size_t>(width) + static_cast<size_t>(d);
          if (attrs.mode != ONC_BAG_MAX) {
            y[at] += scale.empty() ? value : value * scale[static_cast<size_t>(i)];
          } else if (max_index[at] < 0 || value > y[at]) {  // a NaN stays only where it comes first, as in PyTorch
            y[at] = value;
            max_index[at] = row;
          }
        }
      }
      for (int64_t d = 0; d < width && attrs.mode == ONC_BAG_MEAN && size[bag] > 0; ++d)
        y[bag * static_cast<size_t>(width) + static_cast<size_t>(d)] /= static_cast<double>(size[bag]);
    }
    call.write(0, y);
    call.write_int(1, size);
    call.write_int(2, max_index);
  });
}

}  // namespace oncilla::reference
