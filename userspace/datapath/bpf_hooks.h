// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_BPF_HOOKS_H_
#define SHUNT_DATAPATH_BPF_HOOKS_H_

#include <linux/bpf.h>

#include <array>
#include <string>
#include <string_view>

#include "shunt/types.h"

namespace shunt {

// A program of bpf/sock.bpf.c and where it is attached.
struct BpfHook {
  shunt_hook hook;
  const char* name;  // of the hook; the program is "shunt_" + name
  bpf_attach_type attach_type;

  std::string ProgramName() const { return std::string("shunt_") + name; }
  std::string LinkName() const { return std::string("link_") + name; }
};

// In the order in which they are attached: whoever shows an address as it was
// dialled is there before anybody translates one. Detached in the opposite
// order.
inline constexpr std::array<BpfHook, 8> kBpfHooks = {{
    {SHUNT_GETPEERNAME4, "getpeername4", BPF_CGROUP_INET4_GETPEERNAME},
    {SHUNT_GETPEERNAME6, "getpeername6", BPF_CGROUP_INET6_GETPEERNAME},
    {SHUNT_RECVMSG4, "recvmsg4", BPF_CGROUP_UDP4_RECVMSG},
    {SHUNT_RECVMSG6, "recvmsg6", BPF_CGROUP_UDP6_RECVMSG},
    {SHUNT_SENDMSG4, "sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
    {SHUNT_SENDMSG6, "sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
    {SHUNT_CONNECT4, "connect4", BPF_CGROUP_INET4_CONNECT},
    {SHUNT_CONNECT6, "connect6", BPF_CGROUP_INET6_CONNECT},
}};

// Maps by their names, which are also the names of their pins.
inline constexpr std::array<std::string_view, 12> kBpfMaps = {
    "shunt_frontends", "shunt_sources",  "shunt_affinity",  "shunt_slots",
    "shunt_backends",  "shunt_socket",   "shunt_datagrams", "shunt_counters",
    "shunt_tallies",   "shunt_opt_outs", "shunt_services",  "shunt_meta",
};

// The pin of what the programs were loaded with: one struct shunt_config, new
// with each agent.
inline constexpr std::string_view kConfigMap = "shunt_config";

// What bpf/tc.bpf.c adds: programs and maps, by names that are also those of
// their pins.
inline constexpr std::array<std::string_view, 4> kPacketPrograms = {
    "shunt_ingress", "shunt_egress", "shunt_ingress_ip", "shunt_egress_ip"};
inline constexpr std::array<std::string_view, 5> kPacketMaps = {
    "shunt_flows", "shunt_fragments", "shunt_devices", "shunt_origins", "shunt_refusals"};

}  // namespace shunt

#endif  // SHUNT_DATAPATH_BPF_HOOKS_H_
