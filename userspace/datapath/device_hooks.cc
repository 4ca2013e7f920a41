// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/device_hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"
#include "userspace/datapath/libbpf_log.h"

namespace shunt {
namespace {

constexpr PacketHook kHooks[] = {PacketHook::kEgress, PacketHook::kIngress};

// Of our filters at clsact, where a smaller number runs first: "SH".
constexpr uint32_t kPriority = 0x5348;
constexpr uint32_t kHandle = 1;

const char* NameOf(PacketHook hook) { return hook == PacketHook::kIngress ? "ingress" : "egress"; }

// BPF_TCX_INGRESS and BPF_TCX_EGRESS, which Debian 12's headers do not know.
bpf_attach_type TcxType(PacketHook hook) {
  return static_cast<bpf_attach_type>(hook == PacketHook::kIngress ? 46 : 47);
}

bpf_tc_attach_point ClsactPoint(PacketHook hook) {
  return hook == PacketHook::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

std::string PrefixOf(PacketHook hook) { return absl::StrCat("link_", NameOf(hook), "_"); }

std::string LinkName(PacketHook hook, uint32_t device) {
  return absl::StrCat(PrefixOf(hook), device);
}

absl::Status AttachError(int error, PacketHook hook, uint32_t device) {
  const std::string what = absl::StrCat("attach ", NameOf(hook), " of device ", device);
  if (error == ENODEV) return absl::NotFoundError(absl::StrCat(what, ": there is none"));
  return ErrnoStatus(what, error);
}

// The device of a tcx link: 0 where it is gone. Debian 12's headers know the
// place for XDP only, where the kernel has the same for both.
absl::StatusOr<uint32_t> DeviceOf(int link) {
  bpf_link_info info = {};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(link, &info, &length) < 0) return ErrnoStatus("BPF link info");
  return info.xdp.ifindex;
}

absl::Status AttachFilter(PacketHook hook, uint32_t device, int program) {
  const LibbpfLog quiet;  // that clsact is there already is no news
  LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = static_cast<int>(device),
              .attach_point = ClsactPoint(hook));
  if (const int result = bpf_tc_hook_create(&at); result < 0 && result != -EEXIST) {
    return AttachError(-result, hook, device);
  }
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE,
              .handle = kHandle, .priority = kPriority);
  if (const int result = bpf_tc_attach(&at, &options); result < 0) {
    return AttachError(-result, hook, device);
  }
  return absl::OkStatus();
}

absl::Status DetachFilter(PacketHook hook, uint32_t device) {
  const LibbpfLog quiet;
  LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = static_cast<int>(device),
              .attach_point = ClsactPoint(hook));
  LIBBPF_OPTS(bpf_tc_opts, found, .handle = kHandle, .priority = kPriority);
  if (bpf_tc_query(&at, &found) < 0) return absl::OkStatus();  // nothing of ours
  LIBBPF_OPTS(bpf_tc_opts, ours, .handle = kHandle, .priority = kPriority);
  if (const int result = bpf_tc_detach(&at, &ours); result < 0 && result != -ENOENT) {
    return ErrnoStatus(absl::StrCat("detach ", NameOf(hook), " of device ", device), -result);
  }
  return absl::OkStatus();
}

absl::Status DetachFilters(const absl::btree_set<uint32_t>& keep) {
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> devices(
      if_nameindex(), if_freenameindex);
  if (devices == nullptr) return ErrnoStatus("devices");
  for (const struct if_nameindex* device = devices.get(); device->if_index != 0; ++device) {
    if (keep.contains(device->if_index)) continue;
    for (PacketHook hook : kHooks) {
      SHUNT_RETURN_IF_ERROR(DetachFilter(hook, device->if_index));
    }
  }
  return absl::OkStatus();
}

absl::Status DetachLink(const PinDirectory& pins, const std::string& name) {
  SHUNT_ASSIGN_OR_RETURN(const UniqueFd link, pins.Open(name));
  // One whose device is gone has nothing to detach from.
  if (bpf_link_detach(link.get()) < 0 && errno != ENOLINK) {
    return ErrnoStatus(absl::StrCat("detach ", name));
  }
  return pins.Remove(name);
}

}  // namespace

absl::Status DeviceHooks::Attach(PacketHook hook, uint32_t device, int program) {
  if (way_ == Way::kTcx) {
    absl::Status attached = AttachLink(hook, device, program);
    if (!absl::IsInvalidArgument(attached)) return attached;
    way_ = Way::kClsact;  // a kernel before 6.6
  }
  return AttachFilter(hook, device, program);
}

absl::Status DeviceHooks::AttachLink(PacketHook hook, uint32_t device, int program) {
  const std::string name = LinkName(hook, device);
  if (absl::StatusOr<UniqueFd> pinned = pins_.Open(name); pinned.ok()) {
    SHUNT_ASSIGN_OR_RETURN(const uint32_t of, DeviceOf(pinned->get()));
    if (of == device) {
      if (bpf_link_update(pinned->get(), program, nullptr) < 0) {
        return AttachError(errno, hook, device);
      }
      return absl::OkStatus();
    }
  }
  const UniqueFd link(bpf_link_create(program, static_cast<int>(device), TcxType(hook), nullptr));
  if (!link.ok() && errno == EINVAL) return absl::InvalidArgumentError("no tcx");
  if (!link.ok()) return AttachError(errno, hook, device);
  return pins_.Put(name, link.get());
}

absl::Status DeviceHooks::DetachOthers(const absl::btree_set<uint32_t>& keep) {
  SHUNT_RETURN_IF_ERROR(DetachLinks(keep));
  return DetachFilters(way_ == Way::kClsact ? keep : absl::btree_set<uint32_t>());
}

absl::Status DeviceHooks::DetachLinks(const absl::btree_set<uint32_t>& keep) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(pins_.path(), error)) {
    names.push_back(entry.path().filename());
  }
  if (error) return ErrnoStatus(pins_.path(), error.value());
  for (const std::string& name : names) {
    for (PacketHook hook : kHooks) {
      absl::string_view rest = name;
      uint32_t device = 0;
      if (!absl::ConsumePrefix(&rest, PrefixOf(hook)) || !absl::SimpleAtoi(rest, &device)) continue;
      if (!keep.contains(device)) SHUNT_RETURN_IF_ERROR(DetachLink(pins_, name));
    }
  }
  return absl::OkStatus();
}

}  // namespace shunt
