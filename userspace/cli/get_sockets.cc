// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "userspace/base/netns.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/get.h"

namespace shunt {
namespace {

using NetnsNames = std::map<uint64_t, Netns>;

Json SocketJson(const TranslatedSocket& socket, const NetnsNames& names) {
  const auto netns = names.find(socket.netns);
  return {{"namespace", socket.service.name_space},
          {"service", socket.service.name},
          {"servicePort", socket.service.port},
          {"protocol", ProtocolText(socket.service.protocol)},
          {"netns", netns != names.end() ? Json(netns->second.name) : Json()},
          {"netnsInode", socket.netns},
          {"cookie", socket.cookie},
          {"local", socket.local.ToString()},
          {"dialled", socket.dialled.ToString()},
          {"backend", socket.backend.ToString()},
          {"state", socket.stale ? "Stale" : "Connected"}};
}

std::string ServiceCell(const Json& socket) {
  const std::string port = TextAt(socket, "servicePort");
  return absl::StrCat(TextAt(socket, "service"), port.empty() ? "" : ":", port);
}

// One that has neither a name nor a process that we may see has a number only.
std::string NetnsCell(const Json& socket) {
  const std::string name = TextAt(socket, "netns");
  return name.empty() ? TextAt(socket, "netnsInode") : name;
}

absl::StatusOr<Listing> SocketListing(Source& source, const Options& options) {
  SHUNT_ASSIGN_OR_RETURN(std::vector<TranslatedSocket> sockets, source.Sockets(options.Filter()));
  return Listing{
      .kind = "Socket",
      .columns =
          {
              {"NAMESPACE", [](const Json& socket) { return TextAt(socket, "namespace"); },
               Shown::kAllNamespaces},
              {"SERVICE", ServiceCell},
              {"NETNS", NetnsCell},
              {"LOCAL", [](const Json& socket) { return TextAt(socket, "local"); }},
              {"DIALLED", [](const Json& socket) { return TextAt(socket, "dialled"); }},
              {"BACKEND", [](const Json& socket) { return TextAt(socket, "backend"); }},
              {"PROTOCOL", [](const Json& socket) { return TextAt(socket, "protocol"); }},
              {"STATE", [](const Json& socket) { return TextAt(socket, "state"); }},
              {"INODE", [](const Json& socket) { return TextAt(socket, "netnsInode"); },
               Shown::kWide},
              {"COOKIE", [](const Json& socket) { return TextAt(socket, "cookie"); }, Shown::kWide},
          },
      .identity = [](const Json& socket) { return TextAt(socket, "cookie"); },
      .each =
          [sockets = std::move(sockets), names = ListNetns()](Listing::Sink sink) {
            for (const TranslatedSocket& socket : sockets) sink(SocketJson(socket, names));
          },
  };
}

}  // namespace

absl::Status GetSockets(Session& session) {
  return GetOfServices(session, "socket of service", SocketListing);
}

}  // namespace shunt
