// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/netlink/netfilter_chains.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
// After netinet/in.h, which it repeats in part.
#include <linux/netfilter_ipv4/ip_tables.h>
#include <sys/socket.h>

#include <cstring>
#include <fstream>
#include <memory>

#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

int TakeChain(const nlmsghdr* message, void* data) {
  const char *table = "", *chain = "";
  const auto* attribute =
      static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, sizeof(nfgenmsg)));
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(message));
  for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)));
       attribute = mnl_attr_next(attribute)) {
    const uint16_t type = mnl_attr_get_type(attribute);
    if (type == NFTA_CHAIN_TABLE) table = mnl_attr_get_str(attribute);
    if (type == NFTA_CHAIN_NAME) chain = mnl_attr_get_str(attribute);
  }
  static_cast<std::vector<std::string>*>(data)->push_back(std::string(table) + " " + chain);
  return MNL_CB_OK;
}

// Without the question to nftables itself, which would load it.
bool KernelHasNftables() {
  std::ifstream symbols("/proc/kallsyms");
  for (std::string line; std::getline(symbols, line);) {
    if (line.find(" nf_tables_getchain") != std::string::npos) return true;
  }
  return false;
}

bool AskForChains(int fd) {
  char buffer[256];
  nlmsghdr* request = mnl_nlmsg_put_header(buffer);
  request->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN;
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = 1;
  auto* header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg)));
  *header = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = 0};
  return send(fd, request, request->nlmsg_len, 0) >= 0;
}

}  // namespace

std::vector<std::string> NftChains() {
  std::vector<std::string> chains;
  if (!KernelHasNftables()) return chains;
  const UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd.ok() || !AskForChains(fd.get())) return chains;
  char buffer[32768];
  for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
    const ssize_t length = recv(fd.get(), buffer, sizeof(buffer), 0);
    more = length < 0 ? MNL_CB_ERROR : mnl_cb_run(buffer, length, 1, 0, TakeChain, &chains);
  }
  return chains;
}

bool LegacyNatHasChain(const std::string& chain) {
  std::ifstream tables("/proc/net/ip_tables_names");
  bool loaded = false;
  for (std::string name; tables >> name;) loaded |= name == "nat";
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!loaded || !fd.ok()) return false;
  ipt_getinfo info = {};
  std::strcpy(info.name, "nat");
  socklen_t length = sizeof(info);
  if (getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_INFO, &info, &length) < 0) return false;
  length = sizeof(ipt_get_entries) + info.size;
  const auto memory = std::make_unique<char[]>(length);
  auto* entries = reinterpret_cast<ipt_get_entries*>(memory.get());
  std::strcpy(entries->name, "nat");
  entries->size = info.size;
  if (getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &length) < 0) return false;
  // A chain begins with a target that holds its name, and a zero.
  return memmem(memory.get(), length, chain.c_str(), chain.size() + 1) != nullptr;
}

}  // namespace shunt
