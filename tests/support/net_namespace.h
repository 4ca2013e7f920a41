// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SUPPORT_NET_NAMESPACE_H_
#define SHUNT_TESTS_SUPPORT_NET_NAMESPACE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/base/ip_address.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {

// A network namespace, with `lo` up. It goes with the object and with whatever
// still runs in it.
class NetNamespace {
 public:
  static absl::StatusOr<NetNamespace> Make();

  // Runs `function` inside, in a thread of its own, and waits for it. Sockets
  // and programs made in there stay in there.
  void Run(absl::FunctionRef<void()> function) const;

  // Lays a veth pair: "ours" in the calling thread's namespace, "eth0" inside,
  // and a default route inside that leads here. `inner` and `outer` are
  // addresses with prefix length, "10.244.1.5/24".
  absl::Status Connect(const std::string& ours, const std::string& outer,
                       const std::string& inner) const;

  // Makes it a pod's: `address` on its "eth0", a veth pair to `ours` in the calling
  // thread's namespace, which routes that one address to it and is its gateway.
  absl::Status ConnectPod(const std::string& ours, const IpAddress& address) const;

 private:
  explicit NetNamespace(UniqueFd fd) : fd_(std::move(fd)) {}

  std::string Path() const;

  UniqueFd fd_;
};

// Puts the addresses on `lo` of the calling thread's namespace. Those that are
// there already stay.
absl::Status AddLoopbackAddresses(const std::vector<IpAddress>& addresses);

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SUPPORT_NET_NAMESPACE_H_
