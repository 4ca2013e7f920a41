// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

constexpr size_t kChunk = 256 << 10;

absl::Status TooLarge(size_t max_bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("larger than ", max_bytes >> 20, " MiB, which no manifest may be"));
}

// The size that it claims to have.
absl::StatusOr<size_t> CheckFile(int fd, size_t max_bytes) {
  struct stat status;
  if (fstat(fd, &status) != 0) return ErrnoStatus("cannot be read");
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError("not a regular file, so it is not read");
  }
  if (static_cast<size_t>(status.st_size) > max_bytes) return TooLarge(max_bytes);
  return static_cast<size_t>(status.st_size);
}

}  // namespace

absl::StatusOr<std::string> ReadManifestFile(const std::string& path, size_t max_bytes) {
  // O_NONBLOCK: the open of a pipe without a writer would wait for one.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.ok()) return ErrnoStatus("cannot be read");
  SHUNT_ASSIGN_OR_RETURN(const size_t size, CheckFile(fd.get(), max_bytes));

  std::string text;
  text.reserve(size + 1);
  while (text.size() <= max_bytes) {  // it may grow meanwhile
    const size_t before = text.size();
    text.resize(before + std::min(kChunk, max_bytes + 1 - before));
    const ssize_t count = read(fd.get(), text.data() + before, text.size() - before);
    text.resize(before + std::max<ssize_t>(count, 0));
    if (count == 0) return text;
    if (count < 0 && errno != EINTR) return ErrnoStatus("cannot be read");
  }
  return TooLarge(max_bytes);
}

}  // namespace shunt
