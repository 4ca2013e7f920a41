// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_NETLINK_ADDRESS_WATCH_H_
#define SHUNT_SOURCES_NETLINK_ADDRESS_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/base/ip_address.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// A device (interface) of a network namespace.
struct HostDevice {
  uint32_t index = 0;
  std::string name;
  bool is_up = false;
  bool is_loopback = false;
  bool has_link_header = true;  // Ethernet's; false: of a kind that has none, a tunnel
  // Those of HostAddresses that are on it, its main ones first.
  std::vector<IpAddress> addresses;

  friend bool operator==(const HostDevice&, const HostDevice&) = default;
};

// Under which addresses a network namespace can be reached, and its interfaces.
struct HostAddresses {
  // Of global or site scope and ready for use, on whatever interface: neither
  // loopback nor link-local. Sorted, without duplicates.
  std::vector<IpAddress> addresses;
  std::vector<std::string> interfaces;  // names, sorted
  std::vector<HostDevice> devices;      // by index

  friend bool operator==(const HostAddresses&, const HostAddresses&) = default;
};

// What is there now, by rtnetlink. In the calling thread's namespace.
absl::StatusOr<HostAddresses> ReadHostAddresses();

// Follows them in the network namespace of the thread that starts it, with a
// thread of its own. An event only says that something changed: then all is read
// again, so that lost events cost nothing.
class AddressWatch {
 public:
  // Called before Start returns, and then from the watch's own thread whenever
  // something is different. Must not block.
  using OnChange = std::function<void(const HostAddresses&)>;

  static absl::StatusOr<std::unique_ptr<AddressWatch>> Start(OnChange on_change);
  ~AddressWatch();

 private:
  AddressWatch(UniqueFd events, UniqueFd stop, OnChange on_change);

  void Run();
  void Drain();
  void ReadAgain();

  const UniqueFd events_, stop_;
  const OnChange on_change_;
  HostAddresses current_;
  std::thread thread_;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_NETLINK_ADDRESS_WATCH_H_
