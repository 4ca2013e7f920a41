// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/netlink/address_watch.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

constexpr unsigned kGroups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

absl::StatusOr<UniqueFd> OpenNetlink(unsigned groups) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.ok()) return ErrnoStatus("rtnetlink");
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) {
    return ErrnoStatus("rtnetlink");
  }
  return fd;
}

// Asks for all objects of one kind and calls `callback` for each message.
absl::Status Dump(uint16_t type, mnl_cb_t callback, HostAddresses& result) {
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd fd, OpenNetlink(0));
  char buffer[32768];
  nlmsghdr* request = mnl_nlmsg_put_header(buffer);
  request->nlmsg_type = type;
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = 1;
  static_cast<rtgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtgenmsg)))->rtgen_family =
      AF_UNSPEC;
  if (send(fd.get(), request, request->nlmsg_len, 0) < 0) return ErrnoStatus("rtnetlink");
  for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
    const ssize_t length = recv(fd.get(), buffer, sizeof(buffer), 0);
    if (length < 0) return ErrnoStatus("rtnetlink");
    more = mnl_cb_run(buffer, length, 1, 0, callback, &result);
    if (more < 0) return ErrnoStatus("rtnetlink dump");
  }
  return absl::OkStatus();
}

// As mnl_attr_for_each(), which is C.
template <typename Function>
void ForEachAttribute(const nlmsghdr* message, size_t header_size, Function function) {
  const auto* attribute =
      static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, header_size));
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(message));
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    function(attribute);
    attribute = mnl_attr_next(attribute);
  }
}

IpAddress ToAddress(const nlattr* attribute, int family) {
  IpAddress::Bytes bytes = {};
  if (family == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(&bytes[12], mnl_attr_get_payload(attribute), 4);
  } else {
    std::memcpy(bytes.data(), mnl_attr_get_payload(attribute), 16);
  }
  return IpAddress(bytes);
}

HostDevice& DeviceAt(uint32_t index, HostAddresses& host) {
  auto place = std::lower_bound(
      host.devices.begin(), host.devices.end(), index,
      [](const HostDevice& device, uint32_t wanted) { return device.index < wanted; });
  if (place == host.devices.end() || place->index != index) {
    place = host.devices.insert(place, HostDevice{.index = index});
  }
  return *place;
}

// IFA_LOCAL is the host's own where the interface has a peer.
int TakeAddress(const nlmsghdr* message, void* data) {
  const auto* header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
  const size_t size = header->ifa_family == AF_INET ? 4 : 16;
  uint32_t flags = header->ifa_flags;
  const nlattr *address = nullptr, *local = nullptr;
  ForEachAttribute(message, sizeof(*header), [&](const nlattr* attribute) {
    const uint16_t type = mnl_attr_get_type(attribute);
    const size_t length = mnl_attr_get_payload_len(attribute);
    if (type == IFA_ADDRESS && length == size) address = attribute;
    if (type == IFA_LOCAL && length == size) local = attribute;
    if (type == IFA_FLAGS && length == sizeof(flags)) flags = mnl_attr_get_u32(attribute);
  });
  const nlattr* own = local != nullptr ? local : address;
  const bool is_global =
      header->ifa_scope == RT_SCOPE_UNIVERSE || header->ifa_scope == RT_SCOPE_SITE;
  const bool is_ready = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0;
  if (own != nullptr && is_global && is_ready) {
    const IpAddress ip = ToAddress(own, header->ifa_family);
    if (!ip.IsLoopback() && !ip.IsLinkLocal()) {
      auto& host = *static_cast<HostAddresses*>(data);
      host.addresses.push_back(ip);
      DeviceAt(header->ifa_index, host).addresses.push_back(ip);
    }
  }
  return MNL_CB_OK;
}

int TakeInterface(const nlmsghdr* message, void* data) {
  const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  auto& host = *static_cast<HostAddresses*>(data);
  HostDevice& device = DeviceAt(static_cast<uint32_t>(header->ifi_index), host);
  device.is_up = (header->ifi_flags & IFF_UP) != 0;
  device.is_loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  device.has_link_header = header->ifi_type == ARPHRD_ETHER;
  ForEachAttribute(message, sizeof(*header), [&](const nlattr* attribute) {
    if (mnl_attr_get_type(attribute) == IFLA_IFNAME) {
      device.name = mnl_attr_get_str(attribute);
      host.interfaces.push_back(device.name);
    }
  });
  return MNL_CB_OK;
}

template <typename T>
void SortAndUnite(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

absl::StatusOr<HostAddresses> ReadHostAddresses() {
  HostAddresses result;
  SHUNT_RETURN_IF_ERROR(Dump(RTM_GETADDR, TakeAddress, result));
  SHUNT_RETURN_IF_ERROR(Dump(RTM_GETLINK, TakeInterface, result));
  SortAndUnite(result.addresses);
  SortAndUnite(result.interfaces);
  return result;
}

AddressWatch::AddressWatch(UniqueFd events, UniqueFd stop, OnChange on_change)
    : events_(std::move(events)), stop_(std::move(stop)), on_change_(std::move(on_change)) {}

absl::StatusOr<std::unique_ptr<AddressWatch>> AddressWatch::Start(OnChange on_change) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd events, OpenNetlink(kGroups));
  UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.ok()) return ErrnoStatus("eventfd");
  std::unique_ptr<AddressWatch> watch(
      new AddressWatch(std::move(events), std::move(stop), std::move(on_change)));
  SHUNT_ASSIGN_OR_RETURN(watch->current_, ReadHostAddresses());
  watch->on_change_(watch->current_);
  watch->thread_ = std::thread([w = watch.get()] { w->Run(); });
  return watch;
}

AddressWatch::~AddressWatch() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void AddressWatch::Run() {
  while (true) {
    pollfd fds[] = {{.fd = events_.get(), .events = POLLIN, .revents = 0},
                    {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    if (fds[0].revents == 0) continue;
    Drain();
    ReadAgain();
  }
}

// Also takes note, with ENOBUFS, that events were lost.
void AddressWatch::Drain() {
  char buffer[8192];
  while (recv(events_.get(), buffer, sizeof(buffer), MSG_DONTWAIT) >= 0 || errno == ENOBUFS) {
  }
}

// Where that fails, what was known stays: stale is better than empty. The next
// event tries again.
void AddressWatch::ReadAgain() {
  absl::StatusOr<HostAddresses> now = ReadHostAddresses();
  if (!now.ok() || *now == current_) return;
  current_ = *std::move(now);
  on_change_(current_);
}

}  // namespace shunt
