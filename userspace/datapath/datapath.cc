// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "shunt/abi.h"
#include "sock.skel.h"
#include "userspace/base/netns.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"
#include "userspace/datapath/bpf_hooks.h"
#include "userspace/datapath/bpf_map_store.h"
#include "userspace/datapath/bpf_object.h"
#include "userspace/datapath/inspect.h"
#include "userspace/datapath/libbpf_log.h"
#include "userspace/datapath/packet_programs.h"
#include "userspace/datapath/pins.h"

namespace shunt {
namespace {

struct SkeletonDeleter {
  void operator()(shunt_sock* skeleton) const { shunt_sock::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<shunt_sock, SkeletonDeleter>;

absl::StatusOr<UniqueFd> OpenCgroup(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(absl::StrCat("cgroup ", path));
  struct statfs fs;
  if (fstatfs(fd.get(), &fs) < 0) return ErrnoStatus(absl::StrCat("cgroup ", path));
  if (static_cast<unsigned long>(fs.f_type) != CGROUP2_SUPER_MAGIC) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " is not a directory of cgroup v2; mount it: mount -t cgroup2 none /run/cgroup2"));
  }
  return fd;
}

absl::StatusOr<UniqueFd> Duplicate(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy.ok()) return ErrnoStatus("duplicate a descriptor");
  return copy;
}

bool HasOurLayout(int meta_fd) {
  shunt_meta meta = {};
  const uint32_t key = 0;
  return bpf_map_lookup_elem(meta_fd, &key, &meta) == 0 && meta.magic == SHUNT_MAGIC &&
         meta.layout_version == SHUNT_LAYOUT_VERSION;
}

bool HasHelper(bpf_func_id helper) {
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, helper, nullptr) == 1;
}

// Where they cannot be read, the kernel's own defaults stay.
void TakeLocalPorts(shunt_config& config) {
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  uint16_t first = 0, last = 0;
  if (!(range >> first >> last)) return;
  config.first_local_port = first;
  config.last_local_port = last;
}

// Those that are given; the others are in the programs.
void TakeTimeouts(const Datapath::Timeouts& timeouts, shunt_config& config) {
  const auto take = [](absl::Duration given, __u64& ns) {
    if (given > absl::ZeroDuration()) ns = absl::ToInt64Nanoseconds(given);
  };
  take(timeouts.udp, config.udp_timeout_ns);
  take(timeouts.udp_stream, config.udp_stream_timeout_ns);
  take(timeouts.tcp_established, config.tcp_established_timeout_ns);
  take(timeouts.tcp_close_wait, config.tcp_close_wait_timeout_ns);
}

absl::Status Detach(const PinDirectory& pins, const BpfHook& hook) {
  absl::StatusOr<UniqueFd> link = pins.Open(hook.LinkName());
  if (absl::IsNotFound(link.status())) return absl::OkStatus();
  SHUNT_RETURN_IF_ERROR(link.status());
  if (bpf_link_detach(link->get()) < 0) return ErrnoStatus(absl::StrCat("detach ", hook.name));
  return pins.Remove(hook.LinkName());
}

// In the opposite order of attaching.
absl::Status DetachAll(const PinDirectory& pins) {
  for (auto hook = kBpfHooks.rbegin(); hook != kBpfHooks.rend(); ++hook) {
    SHUNT_RETURN_IF_ERROR(Detach(pins, *hook));
  }
  return absl::OkStatus();
}

class LoadedDatapath final : public Datapath {
 public:
  explicit LoadedDatapath(const Options& options) : options_(options), pins_(options.bpffs) {}

  absl::Status Load();
  absl::StatusOr<DatapathTrial> Try();
  MapStore& maps() override { return *store_; }
  absl::Status Attach() override;
  bool serves_already() const override { return serves_already_; }
  absl::Status SetDevices(const std::vector<PacketDevice>& devices) override;
  absl::Status SetOrigins(const std::vector<PacketOrigin>& origins) override;
  const shunt_config& config() const override {
    return const_cast<const shunt_config&>(skeleton_->rodata_config->shunt_config);
  }

 private:
  absl::Status Prepare();
  absl::Status Configure();
  absl::Status LoadPacketPrograms();
  void AdoptMaps();
  absl::StatusOr<std::unique_ptr<MapStore>> OpenStore() const;
  absl::StatusOr<UniqueFd> MapFd(const char* name) const;
  int ProgramFd(const BpfHook& hook) const;
  absl::Status WriteMeta() const;
  absl::Status AttachHook(const BpfHook& hook) const;
  absl::StatusOr<UniqueFd> OwnLink(const BpfHook& hook) const;
  absl::StatusOr<bool> ReplaceProgram(const BpfHook& hook) const;
  absl::Status PinAll() const;

  const Options options_;
  const PinDirectory pins_;
  UniqueFd lock_, cgroup_;
  Skeleton skeleton_;
  std::unique_ptr<PacketPrograms> packets_;  // null: off
  std::unique_ptr<MapStore> store_;
  bool adopted_ = false;
  bool serves_already_ = false;
};

absl::Status LoadedDatapath::Prepare() {
  SHUNT_ASSIGN_OR_RETURN(cgroup_, OpenCgroup(options_.cgroup));
  SHUNT_RETURN_IF_ERROR(pins_.Create());
  SHUNT_ASSIGN_OR_RETURN(lock_, pins_.Lock());
  return absl::OkStatus();
}

absl::Status LoadedDatapath::Load() {
  SHUNT_RETURN_IF_ERROR(Prepare());
  LibbpfLog log;
  skeleton_.reset(shunt_sock::open());
  if (skeleton_ == nullptr) return LoadStatus(errno, log.text());
  SHUNT_RETURN_IF_ERROR(Configure());
  AdoptMaps();
  if (const int result = shunt_sock::load(skeleton_.get()); result < 0) {
    return LoadStatus(-result, log.text());
  }
  SHUNT_ASSIGN_OR_RETURN(store_, OpenStore());
  serves_already_ =
      adopted_ && std::all_of(kBpfHooks.begin(), kBpfHooks.end(),
                              [this](const auto& hook) { return OwnLink(hook).ok(); });
  return options_.packets ? LoadPacketPrograms() : absl::OkStatus();
}

absl::Status LoadedDatapath::LoadPacketPrograms() {
  SHUNT_ASSIGN_OR_RETURN(packets_,
                         PacketPrograms::Load({.pins = pins_,
                                               .config = config(),
                                               .shared_map =
                                                   [this](const char* name) {
                                                     return bpf_object__find_map_fd_by_name(
                                                         skeleton_->obj, name);
                                                   },
                                               .adopt = adopted_}));
  return absl::OkStatus();
}

absl::StatusOr<DatapathTrial> LoadedDatapath::Try() {
  LibbpfLog log;
  skeleton_.reset(shunt_sock::open());
  if (skeleton_ == nullptr) return LoadStatus(errno, log.text());
  SHUNT_RETURN_IF_ERROR(Configure());
  if (const int result = shunt_sock::load(skeleton_.get()); result < 0) {
    return LoadStatus(-result, log.text());
  }
  DatapathTrial trial = {.has_set_retval = config().has_set_retval != 0};
  const bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) trial.map_bytes += MapMemory(bpf_map__fd(map));
  return trial;
}

absl::Status LoadedDatapath::Configure() {
  shunt_config& config = skeleton_->rodata_config->shunt_config;
  config.has_set_retval = HasHelper(BPF_FUNC_set_retval);
  config.has_mptcp = HasHelper(BPF_FUNC_skc_to_mptcp_sock);
  config.can_read_kernel = HasHelper(BPF_FUNC_probe_read_kernel);
  config.host_netns_cookie = OwnNetnsCookie();
  TakeLocalPorts(config);
  TakeTimeouts(options_.timeouts, config);
  config.masquerade_all = options_.masquerade_all;
  config.only_host = options_.socket_lb == SocketLb::kHost;
  if (config.only_host && config.host_netns_cookie == 0) {
    return absl::FailedPreconditionError(
        "socketLB host needs a kernel that numbers network namespaces (5.14 or newer)");
  }
  return absl::OkStatus();
}

// All of them or none: maps of two generations do not fit together.
void LoadedDatapath::AdoptMaps() {
  std::vector<std::pair<bpf_map*, UniqueFd>> pinned;
  for (std::string_view name : kBpfMaps) {
    bpf_map* map = bpf_object__find_map_by_name(skeleton_->obj, std::string(name).c_str());
    absl::StatusOr<UniqueFd> fd = pins_.Open(name);
    if (!fd.ok() || !FitsMap(fd->get(), map)) return;
    if (name == "shunt_meta" && !HasOurLayout(fd->get())) return;
    pinned.emplace_back(map, *std::move(fd));
  }
  for (const auto& [map, fd] : pinned) {
    if (bpf_map__reuse_fd(map, fd.get()) < 0) return;
  }
  adopted_ = true;
}

absl::StatusOr<UniqueFd> LoadedDatapath::MapFd(const char* name) const {
  return Duplicate(bpf_object__find_map_fd_by_name(skeleton_->obj, name));
}

absl::StatusOr<std::unique_ptr<MapStore>> LoadedDatapath::OpenStore() const {
  BpfMapStore::Maps maps;
  SHUNT_ASSIGN_OR_RETURN(maps.frontends, MapFd("shunt_frontends"));
  SHUNT_ASSIGN_OR_RETURN(maps.sources, MapFd("shunt_sources"));
  SHUNT_ASSIGN_OR_RETURN(maps.services, MapFd("shunt_services"));
  SHUNT_ASSIGN_OR_RETURN(maps.slots, MapFd("shunt_slots"));
  SHUNT_ASSIGN_OR_RETURN(maps.backends, MapFd("shunt_backends"));
  return BpfMapStore::Create(std::move(maps), BpfMapStore::Access::kReadWrite);
}

int LoadedDatapath::ProgramFd(const BpfHook& hook) const {
  return bpf_program__fd(
      bpf_object__find_program_by_name(skeleton_->obj, hook.ProgramName().c_str()));
}

absl::Status LoadedDatapath::WriteMeta() const {
  const uint32_t key = 0;
  const int fd = bpf_map__fd(skeleton_->maps.shunt_meta);
  shunt_meta meta = {};  // opt_outs stays as it is
  if (bpf_map_lookup_elem(fd, &key, &meta) < 0) return ErrnoStatus("map shunt_meta");
  meta = {.magic = SHUNT_MAGIC,
          .layout_version = SHUNT_LAYOUT_VERSION,
          .opt_outs = meta.opt_outs,
          .build = {}};
  options_.build.copy(meta.build, sizeof(meta.build) - 1);
  if (bpf_map_update_elem(fd, &key, &meta, BPF_ANY) < 0) return ErrnoStatus("map shunt_meta");
  return absl::OkStatus();
}

// The pinned link. NotFound where that is one on another cgroup, or of one that
// is gone, too.
absl::StatusOr<UniqueFd> LoadedDatapath::OwnLink(const BpfHook& hook) const {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd link, pins_.Open(hook.LinkName()));
  bpf_link_info info = {};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link.get(), &info, &length) < 0) return ErrnoStatus("BPF link info");
  struct stat cgroup;
  if (fstat(cgroup_.get(), &cgroup) < 0) return ErrnoStatus(options_.cgroup);
  if (info.cgroup.cgroup_id != cgroup.st_ino) return absl::NotFoundError("of another cgroup");
  return link;
}

// Puts our program into the pinned link, if there is one.
absl::StatusOr<bool> LoadedDatapath::ReplaceProgram(const BpfHook& hook) const {
  absl::StatusOr<UniqueFd> link = OwnLink(hook);
  if (absl::IsNotFound(link.status())) return false;
  SHUNT_RETURN_IF_ERROR(link.status());
  if (bpf_link_update(link->get(), ProgramFd(hook), nullptr) < 0) {
    return ErrnoStatus(absl::StrCat("replace the program at ", hook.name));
  }
  return true;
}

absl::Status LoadedDatapath::AttachHook(const BpfHook& hook) const {
  SHUNT_ASSIGN_OR_RETURN(bool replaced, ReplaceProgram(hook));
  if (replaced) return absl::OkStatus();
  UniqueFd link(bpf_link_create(ProgramFd(hook), cgroup_.get(), hook.attach_type, nullptr));
  if (!link.ok()) {
    return ErrnoStatus(absl::StrCat("attach ", hook.name, " to cgroup ", options_.cgroup));
  }
  return pins_.Put(hook.LinkName(), link.get());
}

absl::Status LoadedDatapath::PinAll() const {
  for (const BpfHook& hook : kBpfHooks) {
    SHUNT_RETURN_IF_ERROR(pins_.Put(hook.ProgramName(), ProgramFd(hook)));
  }
  SHUNT_RETURN_IF_ERROR(pins_.Put(kConfigMap, bpf_map__fd(skeleton_->maps.rodata_config)));
  SHUNT_RETURN_IF_ERROR(packets_ == nullptr ? RemovePacketPrograms(pins_) : packets_->Pin());
  if (adopted_) return absl::OkStatus();
  for (std::string_view name : kBpfMaps) {
    SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, MapFd(std::string(name).c_str()));
    SHUNT_RETURN_IF_ERROR(pins_.Put(name, fd.get()));
  }
  return absl::OkStatus();
}

absl::Status LoadedDatapath::Attach() {
  SHUNT_RETURN_IF_ERROR(WriteMeta());
  if (options_.socket_lb == SocketLb::kOff) {
    SHUNT_RETURN_IF_ERROR(DetachAll(pins_));
    return PinAll();
  }
  for (const BpfHook& hook : kBpfHooks) SHUNT_RETURN_IF_ERROR(AttachHook(hook));
  return PinAll();
}

absl::Status LoadedDatapath::SetDevices(const std::vector<PacketDevice>& devices) {
  if (packets_ == nullptr) return absl::FailedPreconditionError("packets are off");
  return packets_->SetDevices(devices);
}

absl::Status LoadedDatapath::SetOrigins(const std::vector<PacketOrigin>& origins) {
  if (packets_ == nullptr) return absl::FailedPreconditionError("packets are off");
  return packets_->SetOrigins(origins);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Datapath>> Datapath::Open(const Options& options) {
  auto datapath = std::make_unique<LoadedDatapath>(options);
  SHUNT_RETURN_IF_ERROR(datapath->Load());
  return datapath;
}

absl::StatusOr<DatapathTrial> TryDatapath() { return LoadedDatapath({}).Try(); }

absl::Status RemoveDatapath(const std::string& bpffs) {
  const PinDirectory pins(bpffs);
  absl::StatusOr<UniqueFd> lock = pins.Lock();
  if (absl::IsNotFound(lock.status())) return absl::OkStatus();
  SHUNT_RETURN_IF_ERROR(lock.status());
  SHUNT_RETURN_IF_ERROR(RemovePacketPrograms(pins));
  SHUNT_RETURN_IF_ERROR(DetachAll(pins));
  for (const BpfHook& hook : kBpfHooks) SHUNT_RETURN_IF_ERROR(pins.Remove(hook.ProgramName()));
  for (std::string_view name : kBpfMaps) SHUNT_RETURN_IF_ERROR(pins.Remove(name));
  SHUNT_RETURN_IF_ERROR(pins.Remove(kConfigMap));
  if (rmdir(bpffs.c_str()) < 0) return ErrnoStatus(absl::StrCat("remove ", bpffs));
  return absl::OkStatus();
}

}  // namespace shunt
