// SPDX-License-Identifier: Apache-2.0
#include "userspace/api/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr mode_t kDirectoryMode = 0750;

// Nobody listens, for one of two reasons.
bool IsNobodyThere(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsUnavailable(status);
}

absl::Status MakeDirectory(const std::filesystem::path& directory) {
  if (directory.empty()) return absl::OkStatus();
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return absl::OkStatus();
  std::filesystem::create_directories(directory.parent_path(), error);
  if (mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return ErrnoStatus(absl::StrCat("cannot make the directory ", directory.string()));
  }
  return absl::OkStatus();
}

absl::Status RemoveStaleSocket(const std::string& path) {
  struct stat file{};
  if (lstat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(path);
  }
  if (!S_ISSOCK(file.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " exists and is not a socket"));
  }
  const absl::Status probe = ProbeSocket(path);
  if (probe.ok()) return absl::AlreadyExistsError(absl::StrCat("another agent answers on ", path));
  if (!IsNobodyThere(probe)) return probe;
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    return ErrnoStatus(absl::StrCat("cannot remove the socket that an earlier agent left, ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSocketPath(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("the path of the API socket is empty");
  if (path.size() > kLongestPath) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the path of the API socket is %d bytes long, and %d is the limit: %s",
                        path.size(), kLongestPath, path));
  }
  if (path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path of the API socket holds a NUL: ", Quoted(path)));
  }
  return absl::OkStatus();
}

absl::Status PrepareSocketPath(const std::string& path) {
  SHUNT_RETURN_IF_ERROR(CheckSocketPath(path));
  SHUNT_RETURN_IF_ERROR(MakeDirectory(std::filesystem::path(path).parent_path()));
  return RemoveStaleSocket(path);
}

absl::Status ProbeSocket(const std::string& path) {
  SHUNT_RETURN_IF_ERROR(CheckSocketPath(path));
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return ErrnoStatus("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return absl::OkStatus();
  }
  // EAGAIN: the queue of a listener is full. It is there, if busy.
  if (errno == EAGAIN) return absl::OkStatus();
  if (errno == ECONNREFUSED || errno == ENOTSOCK) {
    return absl::UnavailableError(absl::StrCat(path, ": ", strerror(ECONNREFUSED)));
  }
  return ErrnoStatus(path);
}

std::string GrpcTarget(const std::string& path) {
  std::string target = "unix:";
  for (const char c : path) {
    if (absl::ascii_isalnum(c) || absl::string_view("/._-~").find(c) != absl::string_view::npos) {
      target.push_back(c);
    } else {
      absl::StrAppendFormat(&target, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return target;
}

}  // namespace shunt
