#include "ops/record.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ops/arena.hpp"
#include "ops/planned.hpp"
#include "ops/session.hpp"

namespace oncilla::test {
namespace {

// The recorder appends to the same file: one write a line keeps the order.
class Log {
 public:
  explicit Log(const std::string& path) : file_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (file_ < 0) throw std::runtime_error(path + " cannot be written");
  }
  ~Log() { close(file_); }
  Log(const Log&) = delete;
  void add(const nlohmann::ordered_json& row) const {
    const std::string line = row.dump() + "\n";
    if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) throw std::runtime_error("the log is full");
  }

 private:
  int file_;
};

// Values do not matter: nothing is computed.
std::vector<Elements> drawn(const Case& c) {
  std::vector<Elements> inputs;
  for (const Tensor& t : c.in) inputs.push_back(t.dtype ? draw(t.dtype, t.numel(), t.fill, 1) : Elements{});
  return inputs;
}

}  // namespace

int record_cases(const Cases& cases, const Options& options) {
  const Log log(options.record);
  Bench bench(backend_of(options.backend), options.device);
  size_t runs = 0, declined = 0, failed = 0;
  for (const Case& c : cases) {
    nlohmann::ordered_json row = {{"op", op_name(c.op)}, {"case", c.name}, {"dtype", first_dtype(c)}};
    std::string chosen;
    std::vector<std::string> variants;
    try {
      log.add({{"planning", c.name}});
      const Description description(c, false, "");
      const PlanHandle plan(bench, description);
      chosen = plan.info().variant;
      variants = plan.candidates();
    } catch (const Error& error) {
      ++declined;
      row["declined"] = error.what();
      log.add(row);
      continue;
    }
    const std::vector<Elements> inputs = drawn(c);
    for (const std::string& variant : variants) {
      if (!options.variant.empty() && variant != options.variant) continue;
      row["variant"] = variant;
      row["chosen"] = variant == chosen;
      log.add(row);
      try {
        const Description description(c, false, variant);
        PlanHandle plan(bench, description);
        (void)plan.run(c, ArenaImage(c, inputs, false, plan.info().workspace_bytes, std::byte{0}));
        ++runs;
      } catch (const std::exception& error) {
        ++failed;
        std::cout << c.name << " " << variant << ": " << error.what() << "\n";
      }
    }
  }
  std::cout << runs << " recorded, " << failed << " failed, " << declined << " declined\n";
  return failed > 0 ? 1 : 0;
}

}  // namespace oncilla::test
