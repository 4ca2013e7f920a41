// SPDX-License-Identifier: Apache-2.0
#include "tests/support/net_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/command.h"
#include "userspace/base/status.h"

namespace shunt::testing {
namespace {

absl::StatusOr<UniqueFd> UnshareThisThread() {
  if (unshare(CLONE_NEWNET) != 0) return ErrnoStatus("unshare(CLONE_NEWNET)");
  UniqueFd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus("/proc/thread-self/ns/net");
  SHUNT_RETURN_IF_ERROR(MustRun({"ip", "link", "set", "lo", "up"}));
  return fd;
}

}  // namespace

absl::StatusOr<NetNamespace> NetNamespace::Make() {
  absl::StatusOr<UniqueFd> fd = absl::UnknownError("did not run");
  std::thread([&] { fd = UnshareThisThread(); }).join();
  if (!fd.ok()) return fd.status();
  return NetNamespace(*std::move(fd));
}

void NetNamespace::Run(absl::FunctionRef<void()> function) const {
  std::thread([&] {
    if (setns(fd_.get(), CLONE_NEWNET) != 0) {
      perror("setns");  // a descriptor of ours: it cannot fail
      abort();
    }
    function();
  }).join();
}

std::string NetNamespace::Path() const {
  return absl::StrCat("/proc/", getpid(), "/fd/", fd_.get());
}

absl::Status NetNamespace::Connect(const std::string& ours, const std::string& outer,
                                   const std::string& inner) const {
  SHUNT_RETURN_IF_ERROR(MustRun(
      {"ip", "link", "add", ours, "type", "veth", "peer", "name", "eth0", "netns", Path()}));
  SHUNT_RETURN_IF_ERROR(MustRun({"ip", "addr", "add", outer, "dev", ours, "nodad"}));
  SHUNT_RETURN_IF_ERROR(MustRun({"ip", "link", "set", ours, "up"}));
  absl::Status status;
  const std::string gateway = std::pair<std::string, std::string>(absl::StrSplit(outer, '/')).first;
  Run([&] {
    status = MustRun(
        {"ip", "-batch", "-"},
        {.input = absl::StrCat("addr add ", inner, " dev eth0 nodad\n", "link set eth0 up\n",
                               "route add default via ", gateway, "\n")});
  });
  return status;
}

absl::Status NetNamespace::ConnectPod(const std::string& ours, const IpAddress& address) const {
  const bool is_ipv6 = address.family() == Family::kIpv6;
  const std::string gateway = is_ipv6 ? "fe80::1" : "169.254.1.1";
  const std::string host = absl::StrCat(address.ToString(), is_ipv6 ? "/128" : "/32");
  SHUNT_RETURN_IF_ERROR(MustRun(
      {"ip", "-batch", "-"},
      {.input =
           absl::StrCat("link add ", ours, " type veth peer name eth0 netns ", Path(), "\n",
                        "addr add ", gateway, is_ipv6 ? "/64" : "/32", " dev ", ours, " nodad\n",
                        "link set ", ours, " up\n", "route add ", host, " dev ", ours, "\n")}));
  absl::Status status;
  Run([&] {
    status =
        MustRun({"ip", "-batch", "-"},
                {.input = absl::StrCat("addr add ", host, " dev eth0 nodad\n", "link set eth0 up\n",
                                       "route add default via ", gateway, " dev eth0 onlink\n")});
  });
  return status;
}

absl::Status AddLoopbackAddresses(const std::vector<IpAddress>& addresses) {
  std::string batch;
  for (const IpAddress& address : addresses) {
    const bool is_ipv6 = address.family() == Family::kIpv6;
    absl::StrAppend(&batch, "addr replace ", address.ToString(), is_ipv6 ? "/128" : "/32",
                    " dev lo", is_ipv6 ? " nodad" : "", "\n");
  }
  return MustRun({"ip", "-batch", "-"}, {.input = batch});
}

}  // namespace shunt::testing
