// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

namespace fs = std::filesystem;

void AddNamed(std::map<uint64_t, Netns>& found) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/run/netns", error)) {
    struct stat file;
    if (stat(entry.path().c_str(), &file) < 0) continue;
    found.try_emplace(file.st_ino, Netns{entry.path(), entry.path().filename()});
  }
}

std::string ProcessName(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  return absl::StrCat(name, " (", process.filename().string(), ")");
}

void AddOfProcesses(std::map<uint64_t, Netns>& found) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const std::string path = entry.path() / "ns/net";
    struct stat file;
    if (stat(path.c_str(), &file) < 0 || found.contains(file.st_ino)) continue;
    found.emplace(file.st_ino, Netns{path, ProcessName(entry.path())});
  }
}

}  // namespace

std::map<uint64_t, Netns> ListNetns() {
  std::map<uint64_t, Netns> found;
  AddNamed(found);
  AddOfProcesses(found);
  return found;
}

absl::Status EnterNetns(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(path);
  if (setns(fd.get(), CLONE_NEWNET) < 0) return ErrnoStatus(absl::StrCat("enter ", path));
  return absl::OkStatus();
}

absl::Status RunInNetns(const std::string& path, absl::FunctionRef<void()> function) {
  absl::Status status;
  std::thread([&] {
    status = EnterNetns(path);
    if (status.ok()) function();
  }).join();
  return status;
}

uint64_t OwnNetnsCookie() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0) return 0;
  return cookie;
}

}  // namespace shunt
