// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/stale_sockets.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <utility>
#include <vector>

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

// All namespaces share the kernel's table of UDP sockets, and a walk goes through
// all of it: 0.5 ms with 10,000. So several namespaces are walked at a time.
constexpr size_t kWalkers = 2;

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
  // A network namespace that holds sockets to be ended.
  struct Visit {
    uint32_t netns = 0;  // inode number
    shunt_stale stale = {};
    std::string path;     // "" where nobody can enter it
    absl::Status status;  // what became of it
  };

  absl::Status MakeIterators();
  void WaitForPrograms();
  absl::StatusOr<std::vector<Visit>> FindNamespaces();
  absl::Status EndIn(const Visit& visit) const;
  void EndInAll(std::vector<Visit>& visits) const;

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

absl::StatusOr<std::vector<LoadedStaleSockets::Visit>> LoadedStaleSockets::FindNamespaces() {
  skeleton_->bss->undecided = 0;
  SHUNT_RETURN_IF_ERROR(RunIterator(skeleton_->links.shunt_find_stale).status());
  const int fd = bpf_map__fd(skeleton_->maps.stale_namespaces);
  SHUNT_ASSIGN_OR_RETURN(const auto found, (ReadHash<uint32_t, shunt_stale>(fd)));
  std::vector<Visit> visits;
  if (found.empty()) return visits;
  const std::map<uint64_t, Netns> reachable = ListNetns();
  for (const auto& [inode, stale] : found) {
    bpf_map_delete_elem(fd, &inode);
    const auto netns = reachable.find(inode);
    visits.push_back({.netns = inode,
                      .stale = stale,
                      .path = netns != reachable.end() ? netns->second.path : "",
                      .status = absl::OkStatus()});
  }
  return visits;
}

absl::Status LoadedStaleSockets::EndIn(const Visit& visit) const {
  if (visit.path.empty()) {
    return absl::NotFoundError(absl::StrCat("network namespace ", visit.netns,
                                            " has neither a name in /run/netns nor a process"));
  }
  SHUNT_RETURN_IF_ERROR(EnterNetns(visit.path));
  if (visit.stale.udp > 0) {
    SHUNT_RETURN_IF_ERROR(RunIterator(skeleton_->links.shunt_end_udp).status());
  }
  if (visit.stale.tcp == 0) return absl::OkStatus();
  return RunIterator(skeleton_->links.shunt_end_tcp).status();
}

void LoadedStaleSockets::EndInAll(std::vector<Visit>& visits) const {
  std::atomic<size_t> next = 0;
  const auto walk = [&] {
    for (size_t i = next++; i < visits.size(); i = next++) visits[i].status = EndIn(visits[i]);
  };
  std::vector<std::thread> walkers;
  while (walkers.size() < std::min(kWalkers, visits.size())) walkers.emplace_back(walk);
  for (std::thread& walker : walkers) walker.join();
}

absl::StatusOr<StaleSockets::Result> LoadedStaleSockets::End() {
  WaitForPrograms();
  SHUNT_ASSIGN_OR_RETURN(std::vector<Visit> visits, FindNamespaces());
  Result result = {.undecided = skeleton_->bss->undecided};
  const uint64_t before = skeleton_->bss->ended;
  EndInAll(visits);
  result.ended = skeleton_->bss->ended - before;
  for (const Visit& visit : visits) {
    if (visit.status.ok()) continue;
    result.unreachable += visit.stale.udp + visit.stale.tcp;
    if (result.problem.empty()) result.problem = std::string(visit.status.message());
  }
  return result;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StaleSockets>> StaleSockets::Load(const std::string& bpffs) {
  auto sockets = std::make_unique<LoadedStaleSockets>(bpffs);
  SHUNT_RETURN_IF_ERROR(sockets->Load());
  return sockets;
}

}  // namespace shunt
