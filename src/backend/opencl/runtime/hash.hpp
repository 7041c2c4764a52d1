// SHA-256 (FIPS 180-4), for the names and checksums of cached programs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace oncilla::ocl {

using Digest = std::array<unsigned char, 32>;
Digest sha256(std::string_view bytes);
std::string hex(const Digest& digest);

}  // namespace oncilla::ocl
