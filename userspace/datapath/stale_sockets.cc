// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/stale_sockets.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "reap.skel.h"
#include "shunt/abi.h"
#include "userspace/base/netns.h"
#include "userspace/base/status.h"
#include "userspace/datapath/bpf_batch.h"
#include "userspace/datapath/grace_period.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/libbpf_log.h"
#include "userspace/datapath/map_in_map_wait.h"
#include "userspace/datapath/pins.h"
#include "userspace/datapath/socket_iterator.h"

namespace shunt {
namespace {

struct SkeletonDeleter {
  void operator()(shunt_reap* skeleton) const { shunt_reap::destroy(skeleton); }
};

// Where there is no other way to wait for programs, which run for microseconds.
constexpr absl::Duration kInstead = absl::Seconds(1);

bool KernelHas(const char* function) {
  btf* kernel = btf__load_vmlinux_btf();
  const bool found =
      kernel != nullptr && btf__find_by_name_kind(kernel, function, BTF_KIND_FUNC) > 0;
  btf__free(kernel);
  return found;
}

absl::Status LoadStatus(int error, const std::string& log) {
  if (!KernelHas("bpf_sock_destroy")) {
    return absl::FailedPreconditionError(
        "this kernel cannot end sockets for us: bpf_sock_destroy() came with Linux 6.5");
  }
  return IteratorLoadStatus(error, log);
}

class LoadedStaleSockets final : public StaleSockets {
 public:
  explicit LoadedStaleSockets(const std::string& bpffs) : pins_(bpffs) {}

  absl::Status Load();
  absl::StatusOr<Result> End() override;
  bool IsCurrent() const override;

 private:
  // By inode number of a network namespace.
  using Namespaces = std::map<uint32_t, shunt_stale>;

  absl::Status MakeIterators();
  void WaitForPrograms();
  absl::StatusOr<Namespaces> FindNamespaces();
  absl::Status EndIn(const std::string& path, const shunt_stale& stale);

  const PinDirectory pins_;
  const RcuWait wait_ = MembarrierOr(MapInMapWait());
  std::unique_ptr<shunt_reap, SkeletonDeleter> skeleton_;
  uint32_t map_id_ = 0;
};

absl::Status LoadedStaleSockets::Load() {
  // Says whether the layout is ours.
  SHUNT_RETURN_IF_ERROR(OpenPinnedMaps(pins_.path()).status());
  LibbpfLog log;
  skeleton_.reset(shunt_reap::open());
  if (skeleton_ == nullptr) return LoadStatus(errno, log.text());
  SHUNT_ASSIGN_OR_RETURN(map_id_, IdOfPinnedMap(pins_, "shunt_socket"));
  SHUNT_RETURN_IF_ERROR(UsePinnedMaps(pins_, skeleton_->obj));
  if (const int result = shunt_reap::load(skeleton_.get()); result < 0) {
    return LoadStatus(-result, log.text());
  }
  return MakeIterators();
}

absl::Status LoadedStaleSockets::MakeIterators() {
  SHUNT_ASSIGN_OR_RETURN(
      skeleton_->links.shunt_find_stale,
      MakeStorageIterator(skeleton_->progs.shunt_find_stale, skeleton_->maps.shunt_socket));
  SHUNT_ASSIGN_OR_RETURN(skeleton_->links.shunt_end_udp,
                         MakeIterator(skeleton_->progs.shunt_end_udp));
  SHUNT_ASSIGN_OR_RETURN(skeleton_->links.shunt_end_tcp,
                         MakeIterator(skeleton_->progs.shunt_end_tcp));
  return absl::OkStatus();
}

bool LoadedStaleSockets::IsCurrent() const {
  const absl::StatusOr<uint32_t> id = IdOfPinnedMap(pins_, "shunt_socket");
  return id.ok() && *id == map_id_;
}

// A program that chose the backend just before it was freed may note so only now:
// when it has ended, its socket's record is there to be found.
void LoadedStaleSockets::WaitForPrograms() {
  if (!wait_().ok()) absl::SleepFor(kInstead);
}

absl::StatusOr<LoadedStaleSockets::Namespaces> LoadedStaleSockets::FindNamespaces() {
  skeleton_->bss->undecided = 0;
  SHUNT_RETURN_IF_ERROR(RunIterator(skeleton_->links.shunt_find_stale).status());
  const int fd = bpf_map__fd(skeleton_->maps.stale_namespaces);
  SHUNT_ASSIGN_OR_RETURN(const auto found, (ReadHash<uint32_t, shunt_stale>(fd)));
  for (const auto& [netns, stale] : found) bpf_map_delete_elem(fd, &netns);
  return Namespaces(found.begin(), found.end());
}

absl::Status LoadedStaleSockets::EndIn(const std::string& path, const shunt_stale& stale) {
  absl::Status status;
  const auto run = [&](const bpf_link* iterator) { status.Update(RunIterator(iterator).status()); };
  status.Update(RunInNetns(path, [&] {
    if (stale.udp > 0) run(skeleton_->links.shunt_end_udp);
    if (stale.tcp > 0) run(skeleton_->links.shunt_end_tcp);
  }));
  return status;
}

absl::StatusOr<StaleSockets::Result> LoadedStaleSockets::End() {
  WaitForPrograms();
  SHUNT_ASSIGN_OR_RETURN(const Namespaces namespaces, FindNamespaces());
  Result result = {.undecided = skeleton_->bss->undecided};
  if (namespaces.empty()) return result;
  const uint64_t before = skeleton_->bss->ended;
  const std::map<uint64_t, Netns> reachable = ListNetns();
  for (const auto& [inode, stale] : namespaces) {
    const auto netns = reachable.find(inode);
    const absl::Status status =
        netns != reachable.end()
            ? EndIn(netns->second.path, stale)
            : absl::NotFoundError(absl::StrCat("network namespace ", inode,
                                               " has neither a name in /run/netns nor a process"));
    if (status.ok()) continue;
    result.unreachable += stale.udp + stale.tcp;
    if (result.problem.empty()) result.problem = std::string(status.message());
  }
  result.ended = skeleton_->bss->ended - before;
  return result;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StaleSockets>> StaleSockets::Load(const std::string& bpffs) {
  auto sockets = std::make_unique<LoadedStaleSockets>(bpffs);
  SHUNT_RETURN_IF_ERROR(sockets->Load());
  return sockets;
}

}  // namespace shunt
