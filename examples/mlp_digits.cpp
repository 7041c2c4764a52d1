// Trains a small network on handwritten digits over the core's API, without PyTorch: 64 pixels, 128 hidden units, 10 digits; Adam.
//
//   python examples/export_digits.py out/digits        (once)
//   mlp_digits --data out/digits [--device 0] [--epochs 25] [--seed 0] [--plugin opencl]
//
// There is no autograd at this level: each backward op is written out. All work is enqueued in order on one queue; the host waits
// once an epoch.
#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <utility>

#include "core/allocator.hpp"
#include "core/op.hpp"
#include "core/philox.hpp"

using namespace oncilla;

namespace {

using Dims = std::vector<int64_t>;

// A strided look at device memory that somebody else owns.
struct View {
  onc_arg at{};
  uint32_t dtype = ONC_F32;
  Dims dims, strides;  // elements

  operator TensorRef() const { return {at, dtype, dims, strides}; }  // NOLINT(google-explicit-constructor): spans of this view
  View transposed() const { return {at, dtype, {dims[1], dims[0]}, {strides[1], strides[0]}}; }
  // The same vector for each of n rows, or n columns: a stride of 0 repeats.
  View in_each_row(int64_t n) const { return {at, dtype, {n, dims[0]}, {0, strides[0]}}; }
  View in_each_column(int64_t n) const { return {at, dtype, {dims[0], n}, {strides[0], 0}}; }
  View rows(int64_t first, int64_t n, uint64_t item_bytes) const {
    View part = *this;
    part.at.offset += static_cast<uint64_t>(first * strides[0]) * item_bytes;
    part.dims[0] = n;
    return part;
  }
};

uint64_t item_bytes(uint32_t dtype) { return dtype == ONC_I64 ? 8 : 4; }  // this example has float32 and int64 only

// A dense tensor that owns its memory. Freeing one with work in flight is fine: its block is used again on the same queue only,
// behind that work.
class Array {
 public:
  Array(Queue& queue, Dims dims, uint32_t dtype = ONC_F32) : queue_(&queue) {
    Dims strides(dims.size());
    int64_t count = 1;
    for (size_t i = dims.size(); i-- > 0; count *= dims[i]) strides[i] = count;
    bytes_ = static_cast<uint64_t>(count) * item_bytes(dtype);
    block_ = queue.device().allocator().allocate(bytes_, queue);
    view_ = {block_.at, dtype, std::move(dims), std::move(strides)};
  }
  Array(Array&& other) noexcept
      : queue_(other.queue_), block_(std::exchange(other.block_, {})), bytes_(other.bytes_), view_(other.view_) {}
  Array& operator=(Array&&) = delete;
  ~Array() {
    if (block_.address != nullptr) queue_->device().allocator().free(block_.address);
  }

  const View& view() const { return view_; }
  View rows(int64_t first, int64_t n) const { return view_.rows(first, n, item_bytes(view_.dtype)); }
  template <class T>
  void upload(const std::vector<T>& values) {
    queue_->copy_h2d(block_.at, values.data(), bytes_);
  }
  template <class T>
  T item() const {
    T value{};
    queue_->copy_d2h(&value, block_.at, sizeof value);
    return value;
  }
  void zero() {
    const uint32_t nothing = 0;
    queue_->fill(block_.at, bytes_, &nothing, sizeof nothing);
  }

 private:
  Queue* queue_;
  Block block_;
  uint64_t bytes_ = 0;
  View view_;
};

Array filled(Queue& queue, Dims dims, double value) {
  Array out(queue, dims);
  Tape tape;
  tape.output(tape.scalar(ONC_F32));
  Op(ONC_OP_EXPR).tape(tape, dims).out(out.view()).scalar(value).run(queue);
  return out;
}

// Uniform in [-bound, bound).
Array random(Queue& queue, Dims dims, double bound, Philox& generator) {
  Array out(queue, dims);
  Tape tape;
  const Value u = uniform(tape, ONC_F32);  // takes the first two scalars: seed and offset
  const Value limit = tape.scalar(ONC_F32);
  tape.output((u * 2.0 - 1.0) * limit);
  Op(ONC_OP_EXPR)
      .tape(tape, dims)
      .out(out.view())
      .scalar_int(static_cast<int64_t>(generator.seed))
      .scalar_int(static_cast<int64_t>(generator.next()))
      .scalar(bound)
      .run(queue);
  return out;
}

// a @ b, plus bias in each row if there is one.
Array matmul(Queue& queue, const View& a, const View& b, const View* bias = nullptr) {
  Array out(queue, {a.dims[0], b.dims[1]});
  Op op(ONC_OP_MATMUL);
  op.in(a).in(b);
  View rows;  // lives until run()
  if (bias != nullptr) {
    rows = bias->in_each_row(a.dims[0]);
    op.in(rows);
  } else {
    op.no_in();
  }
  op.out(out.view()).scalar(1.0).scalar(bias != nullptr ? 1.0 : 0.0).run(queue);
  return out;
}

Array relu(Queue& queue, const View& x) {
  Array out(queue, x.dims);
  Tape tape;
  tape.output(maximum(tape.input(ONC_F32), tape.constant(ONC_F32, 0)));
  Op(ONC_OP_EXPR).tape(tape, x.dims).in(x).out(out.view()).run(queue);
  return out;
}

// grad where x > 0, else 0.
Array relu_grad(Queue& queue, const View& grad, const View& x) {
  Array out(queue, x.dims);
  Tape tape;
  const Value g = tape.input(ONC_F32);
  const Value v = tape.input(ONC_F32);
  const Value zero = tape.constant(ONC_F32, 0);
  tape.output(where(gt(v, zero), g, zero));
  Op(ONC_OP_EXPR).tape(tape, x.dims).in(grad).in(x).out(out.view()).run(queue);
  return out;
}

// Sums each column of a matrix: a reduction goes over the last dim, so the view is transposed.
Array column_sums(Queue& queue, const View& x) {
  const View columns = x.transposed();
  Array out(queue, {columns.dims[0]});
  Tape tape;
  tape.output(tape.reduce(ONC_EX_REDUCE_SUM, tape.input(ONC_F32)));
  Op(ONC_OP_EXPR).tape(tape, columns.dims, 1).in(columns).out(out.view()).run(queue);
  return out;
}

// total += x, for scalars.
void accumulate(Queue& queue, const Array& total, const View& x) {
  Tape tape;
  const Value sum = tape.input(ONC_F32);
  tape.output(sum + tape.input(ONC_F32));
  Op(ONC_OP_EXPR).tape(tape, {}).in(total.view()).in(x).out(total.view()).run(queue);
}

struct Loss {
  Array value, total_weight, lse;
};

onc_loss_attrs mean_loss() {
  onc_loss_attrs attrs{};
  attrs.size = sizeof attrs;
  attrs.reduction = ONC_REDUCTION_MEAN;
  attrs.ignore_index = -100;
  return attrs;
}

Loss cross_entropy(Queue& queue, const View& logits, const View& labels) {
  Loss loss{Array(queue, {}), Array(queue, {}), Array(queue, {logits.dims[0]})};
  Op(ONC_OP_CROSS_ENTROPY)
      .in(logits)
      .in(labels)
      .no_in()  // the same weight for each class
      .out(loss.value.view())
      .out(loss.total_weight.view())
      .out(loss.lse.view())
      .attrs(mean_loss())
      .run(queue);
  return loss;
}

Array cross_entropy_grad(Queue& queue, const View& logits, const View& labels, const Loss& loss, const View& grad_loss) {
  Array out(queue, logits.dims);
  Op(ONC_OP_CROSS_ENTROPY_GRAD)
      .in(grad_loss)
      .in(logits)
      .in(labels)
      .no_in()
      .in(loss.total_weight.view())
      .in(loss.lse.view())
      .out(out.view())
      .attrs(mean_loss())
      .run(queue);
  return out;
}

// How many rows have their largest logit at their label.
int64_t count_correct(Queue& queue, const View& logits, const View& labels) {
  const Array hits(queue, labels.dims, ONC_I64);
  const View expected = labels.in_each_column(logits.dims[1]);
  Tape compare;
  const Value best = compare.reduce(ONC_EX_REDUCE_ARGMAX, compare.input(ONC_F32));
  compare.output(compare.cast(eq(best, compare.input(ONC_I64)), ONC_I64));
  Op(ONC_OP_EXPR).tape(compare, logits.dims, 1).in(logits).in(expected).out(hits.view()).run(queue);

  const Array total(queue, {}, ONC_I64);
  Tape sum;
  sum.output(sum.reduce(ONC_EX_REDUCE_SUM, sum.input(ONC_I64)));
  Op(ONC_OP_EXPR).tape(sum, labels.dims, 1).in(hits.view()).out(total.view()).run(queue);
  return total.item<int64_t>();
}

// Kingma, Ba: "Adam: a method for stochastic optimization", ICLR 2015. One launch updates every parameter.
class Adam {
 public:
  Adam(Queue& queue, std::vector<const Array*> parameters) : queue_(queue), parameters_(std::move(parameters)) {
    for (const Array* p : parameters_) {
      first_.emplace_back(queue, p->view().dims).zero();
      second_.emplace_back(queue, p->view().dims).zero();
    }
    const Value p = tape_.input(ONC_F32);
    const Value g = tape_.input(ONC_F32);
    const Value m = tape_.input(ONC_F32) * kBeta1 + g * (1 - kBeta1);
    const Value v = tape_.input(ONC_F32) * kBeta2 + g * g * (1 - kBeta2);
    const Value rate = tape_.scalar(ONC_F32);
    const Value correction = tape_.scalar(ONC_F32);
    tape_.output(p - rate * m / (sqrt(v) * correction + 1e-8));
    tape_.output(m);
    tape_.output(v);
  }

  void step(const std::vector<const Array*>& grads) {
    ++steps_;
    const auto n = static_cast<uint32_t>(parameters_.size());
    Op op(ONC_OP_FOREACH);
    op.foreach (tape_, n, 4, 3);
    for (const Array* p : parameters_) op.in(p->view());
    for (const Array* g : grads) op.in(g->view());
    for (const Array& m : first_) op.in(m.view());
    for (const Array& v : second_) op.in(v.view());
    for (const Array* p : parameters_) op.out(p->view());
    for (const Array& m : first_) op.out(m.view());
    for (const Array& v : second_) op.out(v.view());
    op.scalar(kRate / (1 - std::pow(kBeta1, steps_))).scalar(1 / std::sqrt(1 - std::pow(kBeta2, steps_))).run(queue_);
  }

 private:
  static constexpr double kRate = 2e-3, kBeta1 = 0.9, kBeta2 = 0.999;
  Queue& queue_;
  std::vector<const Array*> parameters_;
  std::vector<Array> first_, second_;
  Tape tape_;
  int steps_ = 0;
};

class Network {
 public:
  Network(Queue& queue, int64_t inputs, int64_t hidden, int64_t outputs, Philox& generator)
      : queue_(queue),
        w1_(random(queue, {inputs, hidden}, 1 / std::sqrt(static_cast<double>(inputs)), generator)),
        b1_(filled(queue, {hidden}, 0)),
        w2_(random(queue, {hidden, outputs}, 1 / std::sqrt(static_cast<double>(hidden)), generator)),
        b2_(filled(queue, {outputs}, 0)),
        one_(filled(queue, {}, 1)),
        adam_(queue, {&w1_, &b1_, &w2_, &b2_}) {}

  Array forward(const View& x) {
    const Array z = matmul(queue_, x, w1_.view(), &b1_.view());
    const Array h = relu(queue_, z.view());
    return matmul(queue_, h.view(), w2_.view(), &b2_.view());
  }

  // One step of training; adds the batch's mean loss to `total`.
  void learn(const View& x, const View& labels, const Array& total) {
    const Array z = matmul(queue_, x, w1_.view(), &b1_.view());
    const Array h = relu(queue_, z.view());
    const Array logits = matmul(queue_, h.view(), w2_.view(), &b2_.view());
    const Loss loss = cross_entropy(queue_, logits.view(), labels);
    accumulate(queue_, total, loss.value.view());

    const Array grad_logits = cross_entropy_grad(queue_, logits.view(), labels, loss, one_.view());
    const Array grad_w2 = matmul(queue_, h.view().transposed(), grad_logits.view());
    const Array grad_b2 = column_sums(queue_, grad_logits.view());
    const Array grad_h = matmul(queue_, grad_logits.view(), w2_.view().transposed());
    const Array grad_z = relu_grad(queue_, grad_h.view(), z.view());
    const Array grad_w1 = matmul(queue_, x.transposed(), grad_z.view());
    const Array grad_b1 = column_sums(queue_, grad_z.view());
    adam_.step({&grad_w1, &grad_b1, &grad_w2, &grad_b2});
  }

 private:
  Queue& queue_;
  Array w1_, b1_, w2_, b2_, one_;
  Adam adam_;
};

// Digits in host memory: count x pixels in 0 ... 1, and their labels.
struct Digits {
  int64_t count = 0, pixels = 0;
  std::vector<float> images;
  std::vector<int64_t> labels;
};

// Reads an IDX file of unsigned bytes: a magic number that ends in the rank, each size as a big-endian word, the data.
std::vector<unsigned char> read_idx(const std::filesystem::path& path, uint32_t rank, Dims& dims) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("[digits] cannot open " + path.string() + "; examples/export_digits.py writes it");
  const auto word = [&] {
    std::array<unsigned char, 4> b{};
    in.read(reinterpret_cast<char*>(b.data()), b.size());
    return static_cast<uint32_t>(b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]);
  };
  if (word() != (0x0800 | rank))
    throw std::runtime_error("[digits] " + path.string() + " is no IDX file of rank " + std::to_string(rank));
  for (uint32_t i = 0; i < rank; ++i) dims.push_back(word());
  const auto begin = in.tellg();
  const auto here = static_cast<int64_t>(std::filesystem::file_size(path)) - static_cast<int64_t>(begin);
  // Sizes come from a file: divide, so that no product can overflow.
  int64_t rest = here;
  bool fits = in.good();
  for (const int64_t dim : dims) {
    fits = fits && dim > 0 && rest % dim == 0;
    if (fits) rest /= dim;
  }
  if (!fits || rest != 1)
    throw std::runtime_error("[digits] " + path.string() + " holds " + std::to_string(here) +
                             " bytes of data, not what its header says");
  std::vector<unsigned char> data(static_cast<size_t>(here));
  in.read(reinterpret_cast<char*>(data.data()), here);
  return data;
}

Digits read_digits(const std::filesystem::path& folder, const std::string& name) {
  Dims image_dims, label_dims;
  const auto images = read_idx(folder / (name + "-images.idx3-ubyte"), 3, image_dims);
  const auto labels = read_idx(folder / (name + "-labels.idx1-ubyte"), 1, label_dims);
  if (image_dims[0] != label_dims[0]) {
    throw std::runtime_error("[digits] " + name + ": " + std::to_string(image_dims[0]) + " images but " +
                             std::to_string(label_dims[0]) + " labels");
  }
  Digits digits{image_dims[0], image_dims[1] * image_dims[2], {}, {}};
  const auto brightest = static_cast<float>(std::max<int>(1, *std::max_element(images.begin(), images.end())));
  for (const unsigned char pixel : images) digits.images.push_back(static_cast<float>(pixel) / brightest);
  for (const unsigned char label : labels) digits.labels.push_back(label);
  return digits;
}

// The digits in another order, drawn from (seed, epoch): Fisher-Yates with Philox words.
Digits shuffled(const Digits& digits, uint64_t seed, uint32_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(digits.count));
  std::iota(order.begin(), order.end(), 0);
  for (auto i = static_cast<uint32_t>(order.size()); i > 1; --i) {
    const auto words = philox4x32({i, epoch, 0, 1}, {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
    std::swap(order[i - 1], order[words[0] % i]);
  }
  Digits result{digits.count, digits.pixels, {}, {}};
  for (const int64_t from : order) {
    const auto begin = digits.images.begin() + from * digits.pixels;
    result.images.insert(result.images.end(), begin, begin + digits.pixels);
    result.labels.push_back(digits.labels[static_cast<size_t>(from)]);
  }
  return result;
}

struct Options {
  std::string data = "out/digits", plugin = "opencl";
  uint32_t device = 0, epochs = 25;
  uint64_t seed = 0;
};

void train(const Options& options) {
  constexpr int64_t kBatch = 32;
  const auto backend =
      options.plugin.find('/') == std::string::npos ? Backend::named(options.plugin) : Backend::load(options.plugin);
  const auto device = Device::open(backend, options.device);
  const auto queue = device->create_queue();
  const Digits train_set = read_digits(options.data, "train");
  const Digits test_set = read_digits(options.data, "test");
  std::printf("%lld training and %lld test digits on %s\n", static_cast<long long>(train_set.count),
              static_cast<long long>(test_set.count), device->info().name);

  Philox generator{options.seed, 0};
  Network network(*queue, train_set.pixels, 128, 10, generator);
  Array images(*queue, {train_set.count, train_set.pixels}), labels(*queue, {train_set.count}, ONC_I64);
  Array test_images(*queue, {test_set.count, test_set.pixels}), test_labels(*queue, {test_set.count}, ONC_I64);
  test_images.upload(test_set.images);
  test_labels.upload(test_set.labels);
  Array total(*queue, {});
  double accuracy = 0;
  for (uint32_t epoch = 0; epoch < options.epochs; ++epoch) {
    const auto begin = std::chrono::steady_clock::now();
    const Digits order = shuffled(train_set, options.seed, epoch);
    images.upload(order.images);
    labels.upload(order.labels);
    total.zero();
    int batches = 0;
    for (int64_t first = 0; first < order.count; first += kBatch, ++batches) {
      const int64_t n = std::min(kBatch, order.count - first);
      network.learn(images.rows(first, n), labels.rows(first, n), total);
    }
    const double loss = total.item<float>() / batches;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const Array logits = network.forward(test_images.view());
    accuracy =
        100.0 * static_cast<double>(count_correct(*queue, logits.view(), test_labels.view())) / static_cast<double>(test_set.count);
    std::printf("epoch %2u  loss %.6f  test accuracy %.2f %%  %.0f digits/s\n", epoch + 1, loss, accuracy,
                static_cast<double>(order.count) / seconds.count());
    std::fflush(stdout);
  }
  queue->finish();
  std::printf("test accuracy %.2f %%\n", accuracy);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains a small network on handwritten digits, over Oncilla's C++ interface");
  app.add_option("--data", options.data, "Folder with the IDX files of examples/export_digits.py")->capture_default_str();
  app.add_option("--device", options.device, "Number of the plugin's device")->capture_default_str();
  app.add_option("--epochs", options.epochs, "Passes over the training digits")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", options.seed, "Of the first weights and the order of the digits")->capture_default_str();
  app.add_option("--plugin", options.plugin, "A plugin of the installation, or a path")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "mlp_digits: %s\n", error.what());
    return 2;
  }
  try {
    train(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mlp_digits: %s\n", error.what());
    return 1;
  }
}
