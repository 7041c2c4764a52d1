// Opens plugins by name or path.
#include "ops/session.hpp"

#include <cstdlib>
#include <filesystem>

namespace oncilla::test {

std::shared_ptr<Backend> backend_of(const std::string& name) {
  return name.find('/') == std::string::npos ? Backend::named(name) : Backend::load(std::filesystem::absolute(name));
}

Session::Session(const Options& options) : options_(options) {
  if (options.wide) setenv("ONCILLA_WIDE_INDEX", "1", 1);  // plugins read it when they plan
  reference_ = std::make_unique<Bench>(backend_of(options.reference), 0);
  if (!options.gradients && options.seeded.empty()) tested_ = std::make_unique<Bench>(backend_of(options.backend), options.device);
}

Subject Session::subject() const {
  if (!tested_) return {};
  const onc_device_info& info = tested_->device().info();
  const auto text = [](const char* value) { return std::string(value != nullptr ? value : ""); };
  return {tested_->device().backend().name(), text(info.name), text(info.driver)};
}

std::vector<Result> Session::run(const Case& c) {
  if (tested_) return run_case(c, *tested_, *reference_, {options_.variant, options_.complete, options_.separate});
  std::vector<Result> results;
  if (auto result = check_gradients(c, *reference_)) results.push_back(std::move(*result));
  return results;
}

void Session::programs(uint64_t& built, uint64_t& cached) const {
  built = cached = 0;
  if (!tested_) return;
  const onc_device_stats stats = tested_->device().stats();
  built = stats.programs_built;
  cached = stats.programs_cached;
}

}  // namespace oncilla::test
