#include "core/elf_check.hpp"

#include <cstdint>
#include <fstream>
#include <sstream>
#include <vector>

#include "core/error.hpp"

#if defined(__linux__)
#include <elf.h>
#include <link.h>
#endif

namespace oncilla {

#if defined(__linux__)

namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kOrder = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

class File {
 public:
  explicit File(const std::string& path) : path_(path), in_(path, std::ios::binary | std::ios::ate) {
    if (!in_) throw Error(ONC_NOT_FOUND, "[plugin] '" + path + "' cannot be read");
    size_ = static_cast<uint64_t>(in_.tellg());
  }

  template <class... Args>
  void require(bool holds, const Args&... what) const {
    if (holds) return;
    std::ostringstream message;
    message << "[plugin] '" << path_ << "' ";
    (message << ... << what);
    throw Error(ONC_INVALID_ARGUMENT, message.str());
  }

  // The part that `what` occupies lies inside the file.
  void require_extent(const char* what, uint64_t offset, uint64_t bytes) const {
    require(offset <= size_ && bytes <= size_ - offset, "is truncated: its ", what, " has ", bytes, " bytes at ", offset,
            ", but the file ends at ", size_);
  }

  void read(const char* what, uint64_t offset, void* to, uint64_t bytes) {
    require_extent(what, offset, bytes);
    in_.seekg(static_cast<std::streamoff>(offset));
    in_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    require(static_cast<uint64_t>(in_.gcount()) == bytes, "cannot be read at byte ", offset);
  }

  uint64_t size() const { return size_; }

 private:
  const std::string& path_;
  std::ifstream in_;
  uint64_t size_ = 0;
};

}  // namespace

void check_elf(const std::string& path) {
  File file(path);
  file.require(file.size() > 0, "is empty");
  unsigned char ident[EI_NIDENT] = {};
  file.read("identification", 0, ident, file.size() < EI_NIDENT ? file.size() : EI_NIDENT);
  const bool elf = ident[EI_MAG0] == ELFMAG0 && ident[EI_MAG1] == ELFMAG1 && ident[EI_MAG2] == ELFMAG2 && ident[EI_MAG3] == ELFMAG3;
  file.require(elf, "is not a shared object: it does not begin as an ELF file");
  Header header{};
  file.read("header", 0, &header, sizeof(header));
  file.require(ident[EI_CLASS] == kClass && ident[EI_DATA] == kOrder, "is built for another kind of machine (ELF class ",
               int{ident[EI_CLASS]}, ", byte order ", int{ident[EI_DATA]}, ")");
  file.require(header.e_type == ET_DYN, "is not a shared object: its ELF type is ", header.e_type);
  file.require(header.e_phentsize == sizeof(Segment), "has program headers of ", header.e_phentsize, " bytes, not ",
               sizeof(Segment));
  if (header.e_shoff != 0) file.require_extent("section table", header.e_shoff, uint64_t{header.e_shnum} * header.e_shentsize);

  std::vector<Segment> segments(header.e_phnum);
  file.read("program header table", header.e_phoff, segments.data(), segments.size() * sizeof(Segment));
  bool loads = false, dynamic = false;
  for (const Segment& segment : segments) {
    if (segment.p_type == PT_LOAD || segment.p_type == PT_DYNAMIC)
      file.require_extent("segment", segment.p_offset, segment.p_filesz);
    loads = loads || segment.p_type == PT_LOAD;
    dynamic = dynamic || segment.p_type == PT_DYNAMIC;
  }
  file.require(loads && dynamic, "is not a shared object: it has nothing to load");
}

#else

void check_elf(const std::string&) {}  // other loaders report a damaged file themselves

#endif

}  // namespace oncilla
