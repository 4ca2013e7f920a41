// SPDX-License-Identifier: Apache-2.0
#include "userspace/reaper/packet_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/reaper/report.h"

namespace shunt {
namespace {

constexpr int kBacklog = 8;

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("the path of the reaper's socket has ",
                                                   path.size(), " bytes, and 1 to ",
                                                   sizeof(address.sun_path) - 1, " are possible"));
  }
  path.copy(address.sun_path, path.size());
  return address;
}

absl::StatusOr<UniqueFd> MakeSocket() {
  UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.ok()) return ErrnoStatus("socket");
  return fd;
}

absl::Status RemoveSocketOfWhoIsGone(const std::string& path) {
  struct stat file = {};
  if (lstat(path.c_str(), &file) < 0) return absl::OkStatus();
  if (!S_ISSOCK(file.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " exists and is not a socket"));
  }
  if (ConnectPacketSocket(path).ok()) {
    return absl::AlreadyExistsError(absl::StrCat("another shunt-reaper listens on ", path));
  }
  if (unlink(path.c_str()) < 0) return ErrnoStatus(absl::StrCat("remove ", path));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> ConnectPacketSocket(const std::string& path) {
  SHUNT_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, MakeSocket());
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    return ErrnoStatus(path);
  }
  return fd;
}

absl::StatusOr<UniqueFd> ListenPacketSocket(const std::string& path) {
  SHUNT_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (!directory.empty() && mkdir(directory.c_str(), 0750) < 0 && errno != EEXIST) {
    return ErrnoStatus(absl::StrCat("mkdir ", directory.string()));
  }
  SHUNT_RETURN_IF_ERROR(RemoveSocketOfWhoIsGone(path));
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, MakeSocket());
  const mode_t before = umask(0177);
  const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  umask(before);
  if (bound < 0) return ErrnoStatus(absl::StrCat("bind ", path));
  if (listen(fd.get(), kBacklog) < 0) return ErrnoStatus(absl::StrCat("listen on ", path));
  return fd;
}

bool SendPacket(int fd, std::string_view packet) {
  return send(fd, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(packet.size());
}

std::optional<std::string> ReceivePacket(int fd) {
  std::string packet(kLongestPacket, '\0');
  const ssize_t length = recv(fd, packet.data(), packet.size(), MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  packet.resize(length < 0 ? 0 : length);
  return packet;
}

}  // namespace shunt
