// SPDX-License-Identifier: Apache-2.0
#include "tests/support/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "userspace/base/status.h"

namespace shunt::testing {
namespace {

absl::Status WriteAll(int fd, const std::string& text, const std::string& what) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n < 0) return ErrnoStatus(what);
    done += n;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(path);
  std::string text;
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd.get(), buffer, sizeof(buffer))) > 0) text.append(buffer, n);
  if (n < 0) return ErrnoStatus(path);
  return text;
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.ok()) return ErrnoStatus(path);
  return WriteAll(fd.get(), text, path);
}

absl::StatusOr<UniqueFd> MakeMemoryFile(const std::string& text) {
  UniqueFd fd(memfd_create("shunt-test", MFD_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus("memfd_create");
  SHUNT_RETURN_IF_ERROR(WriteAll(fd.get(), text, "memfd"));
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return ErrnoStatus("lseek");
  return fd;
}

}  // namespace shunt::testing
