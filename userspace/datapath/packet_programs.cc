// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/packet_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <array>
#include <string_view>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "shunt/abi.h"
#include "tc.skel.h"
#include "userspace/base/status.h"
#include "userspace/datapath/abi_address.h"
#include "userspace/datapath/bpf_hooks.h"
#include "userspace/datapath/bpf_object.h"
#include "userspace/datapath/libbpf_log.h"

namespace shunt {
namespace {

struct SkeletonDeleter {
  void operator()(shunt_tc* skeleton) const { shunt_tc::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<shunt_tc, SkeletonDeleter>;

shunt_device ValueOf(const PacketDevice& device) {
  return {.address4 = ToAbi(device.address4),
          .address6 = ToAbi(device.address6),
          .is_of_pods = device.is_of_pods,
          ._pad = {}};
}

shunt_origin_key KeyOf(const Cidr& range) {
  constexpr uint32_t kMappedBits = 96;  // ::ffff:0:0/96, where IPv4 is
  return {
      .prefix_length = range.prefix_length() + (range.family() == Family::kIpv4 ? kMappedBits : 0),
      .prefix = ToAbi(range.address())};
}

template <typename Key>
std::vector<Key> KeysOf(int map) {
  std::vector<Key> keys;
  Key key;
  while (bpf_map_get_next_key(map, keys.empty() ? nullptr : &keys.back(), &key) == 0) {
    keys.push_back(key);
  }
  return keys;
}

class LoadedPacketPrograms final : public PacketPrograms {
 public:
  explicit LoadedPacketPrograms(Parts parts) : parts_(std::move(parts)), hooks_(parts_.pins) {}

  absl::Status Load();
  absl::Status Pin() override;
  absl::Status SetDevices(const std::vector<PacketDevice>& devices) override;
  absl::Status SetOrigins(const std::vector<PacketOrigin>& origins) override;

 private:
  absl::Status ShareMaps();
  void AdoptMaps();
  int ProgramFd(PacketHook hook, bool has_link_header) const;
  absl::Status Attach(const PacketDevice& device);
  absl::Status ForgetOthers(const absl::btree_set<uint32_t>& keep);

  const Parts parts_;
  DeviceHooks hooks_;
  Skeleton skeleton_;
};

absl::Status LoadedPacketPrograms::Load() {
  LibbpfLog log;
  skeleton_.reset(shunt_tc::open());
  if (skeleton_ == nullptr) return LoadStatus(errno, log.text());
  skeleton_->rodata_config->shunt_config = parts_.config;
  SHUNT_RETURN_IF_ERROR(ShareMaps());
  if (parts_.adopt) AdoptMaps();
  if (const int result = shunt_tc::load(skeleton_.get()); result < 0) {
    return LoadStatus(-result, log.text());
  }
  return absl::OkStatus();
}

absl::Status LoadedPacketPrograms::ShareMaps() {
  for (std::string_view name : kBpfMaps) {
    bpf_map* map = bpf_object__find_map_by_name(skeleton_->obj, name.data());
    if (map == nullptr) continue;
    if (const int result = bpf_map__reuse_fd(map, parts_.shared_map(name.data())); result < 0) {
      return ErrnoStatus(absl::StrCat("share map ", std::string(name)), -result);
    }
  }
  return absl::OkStatus();
}

void LoadedPacketPrograms::AdoptMaps() {
  for (std::string_view name : kPacketMaps) {
    bpf_map* map = bpf_object__find_map_by_name(skeleton_->obj, name.data());
    absl::StatusOr<UniqueFd> pinned = parts_.pins.Open(name);
    if (pinned.ok() && FitsMap(pinned->get(), map)) bpf_map__reuse_fd(map, pinned->get());
  }
}

absl::Status LoadedPacketPrograms::Pin() {
  for (std::string_view name : kPacketPrograms) {
    const bpf_program* program = bpf_object__find_program_by_name(skeleton_->obj, name.data());
    SHUNT_RETURN_IF_ERROR(parts_.pins.Put(name, bpf_program__fd(program)));
  }
  for (std::string_view name : kPacketMaps) {
    const int fd = bpf_object__find_map_fd_by_name(skeleton_->obj, name.data());
    SHUNT_RETURN_IF_ERROR(parts_.pins.Put(name, fd));
  }
  return absl::OkStatus();
}

int LoadedPacketPrograms::ProgramFd(PacketHook hook, bool has_link_header) const {
  const auto& programs = skeleton_->progs;
  if (hook == PacketHook::kIngress) {
    return bpf_program__fd(has_link_header ? programs.shunt_ingress : programs.shunt_ingress_ip);
  }
  return bpf_program__fd(has_link_header ? programs.shunt_egress : programs.shunt_egress_ip);
}

// Who restores an answer is there before anybody translates what asks for it.
absl::Status LoadedPacketPrograms::Attach(const PacketDevice& device) {
  const shunt_device value = ValueOf(device);
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.shunt_devices), &device.index, &value,
                          BPF_ANY) < 0) {
    return ErrnoStatus(absl::StrCat("map shunt_devices, device ", device.name));
  }
  for (PacketHook hook : {PacketHook::kEgress, PacketHook::kIngress}) {
    SHUNT_RETURN_IF_ERROR(
        hooks_.Attach(hook, device.index, ProgramFd(hook, device.has_link_header)));
  }
  return absl::OkStatus();
}

absl::Status LoadedPacketPrograms::ForgetOthers(const absl::btree_set<uint32_t>& keep) {
  const int fd = bpf_map__fd(skeleton_->maps.shunt_devices);
  for (const uint32_t device : KeysOf<uint32_t>(fd)) {
    if (!keep.contains(device)) bpf_map_delete_elem(fd, &device);
  }
  return hooks_.DetachOthers(keep);
}

absl::Status LoadedPacketPrograms::SetDevices(const std::vector<PacketDevice>& devices) {
  absl::Status first_failure;
  absl::btree_set<uint32_t> indices;
  for (const PacketDevice& device : devices) {
    indices.insert(device.index);
    const absl::Status attached = Attach(device);
    if (!absl::IsNotFound(attached)) first_failure.Update(attached);
  }
  first_failure.Update(ForgetOthers(indices));
  return first_failure;
}

absl::Status LoadedPacketPrograms::SetOrigins(const std::vector<PacketOrigin>& origins) {
  const int fd = bpf_map__fd(skeleton_->maps.shunt_origins);
  absl::btree_set<std::pair<uint32_t, IpAddress>> wanted;
  for (const PacketOrigin& origin : origins) {
    const shunt_origin_key key = KeyOf(origin.range);
    wanted.emplace(key.prefix_length, origin.range.address());
    if (bpf_map_update_elem(fd, &key, &origin.origin, BPF_ANY) < 0) {
      return ErrnoStatus(absl::StrCat("map shunt_origins, ", origin.range.ToString()));
    }
  }
  for (const shunt_origin_key& key : KeysOf<shunt_origin_key>(fd)) {
    if (!wanted.contains({key.prefix_length, ToIpAddress(key.prefix)})) {
      bpf_map_delete_elem(fd, &key);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PacketPrograms>> PacketPrograms::Load(Parts parts) {
  auto programs = std::make_unique<LoadedPacketPrograms>(std::move(parts));
  SHUNT_RETURN_IF_ERROR(programs->Load());
  return programs;
}

absl::Status RemovePacketPrograms(const PinDirectory& pins) {
  const std::string_view last = kPacketPrograms.back();  // is removed last
  if (absl::IsNotFound(pins.Open(last).status())) return absl::OkStatus();
  SHUNT_RETURN_IF_ERROR(DeviceHooks(pins).DetachOthers({}));
  for (std::string_view name : kPacketPrograms) SHUNT_RETURN_IF_ERROR(pins.Remove(name));
  for (std::string_view name : kPacketMaps) SHUNT_RETURN_IF_ERROR(pins.Remove(name));
  return absl::OkStatus();
}

}  // namespace shunt
