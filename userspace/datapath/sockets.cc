// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/sockets.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "shunt/abi.h"
#include "sockets.skel.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/libbpf_log.h"
#include "userspace/datapath/service_name.h"
#include "userspace/datapath/socket_iterator.h"

namespace shunt {
namespace {

struct SkeletonDeleter {
  void operator()(shunt_sockets* skeleton) const { shunt_sockets::destroy(skeleton); }
};

absl::StatusOr<std::vector<char>> ReadRecords(const std::string& bpffs) {
  static absl::Mutex one_at_a_time(absl::kConstInit);  // as LibbpfLog wants it
  absl::MutexLock lock(&one_at_a_time);
  LibbpfLog log;
  const std::unique_ptr<shunt_sockets, SkeletonDeleter> skeleton(shunt_sockets::open());
  if (skeleton == nullptr) return IteratorLoadStatus(errno, log.text());
  SHUNT_RETURN_IF_ERROR(UsePinnedMaps(PinDirectory(bpffs), skeleton->obj));
  if (const int result = shunt_sockets::load(skeleton.get()); result < 0) {
    return IteratorLoadStatus(-result, log.text());
  }
  SHUNT_ASSIGN_OR_RETURN(
      skeleton->links.shunt_sockets,
      MakeStorageIterator(skeleton->progs.shunt_sockets, skeleton->maps.shunt_socket));
  return RunIterator(skeleton->links.shunt_sockets);
}

SocketEnd EndOf(const shunt_peer& peer) {
  return {.address = ToIpAddress(peer.address), .port = peer.port};
}

TranslatedSocket SocketOf(const shunt_socket_record& record, const ServiceNames& names) {
  const uint32_t id = record.socket.service_id;
  const auto known = names.find(id);
  ServicePortName name = known != names.end() ? known->second : UnknownServiceName(id);
  name.protocol = record.protocol;
  return {.service = std::move(name),
          .netns = record.netns,
          .cookie = record.cookie,
          .local = EndOf(record.local),
          .dialled = EndOf(record.socket.dialled),
          .backend = EndOf(record.socket.got),
          .stale = record.stale != 0};
}

bool InOrder(const TranslatedSocket& a, const TranslatedSocket& b) {
  const auto key = [](const TranslatedSocket& s) {
    return std::tie(s.service, s.netns, s.local.address, s.local.port, s.cookie);
  };
  return key(a) < key(b);
}

}  // namespace

absl::StatusOr<std::vector<TranslatedSocket>> ReadSockets(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(const std::unique_ptr<MapStore> maps, OpenPinnedMaps(bpffs));
  SHUNT_ASSIGN_OR_RETURN(const std::vector<char> records, ReadRecords(bpffs));
  SHUNT_ASSIGN_OR_RETURN(const ServiceNames names, ReadServiceNames(*maps));
  std::vector<TranslatedSocket> sockets(records.size() / sizeof(shunt_socket_record));
  for (size_t i = 0; i < sockets.size(); ++i) {
    shunt_socket_record record;
    memcpy(&record, records.data() + i * sizeof(record), sizeof(record));
    sockets[i] = SocketOf(record, names);
  }
  std::sort(sockets.begin(), sockets.end(), InOrder);
  return sockets;
}

}  // namespace shunt
