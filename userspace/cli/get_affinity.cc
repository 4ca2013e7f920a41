// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/listing.h"
#include "userspace/cli/netns_names.h"
#include "userspace/cli/seconds_text.h"
#include "userspace/cli/state_json.h"

namespace shunt {
namespace {

using Names = std::map<uint64_t, std::string>;

Json ClientJson(const AffinityClient& client, const Names& names) {
  if (client.netns_cookie == 0) {
    return {{"address", client.address.ToString()}, {"netnsCookie", Json()}, {"netns", Json()}};
  }
  const auto name = names.find(client.netns_cookie);
  return {{"address", Json()},
          {"netnsCookie", client.netns_cookie},
          {"netns", name == names.end() ? Json() : Json(name->second)}};
}

Json BackendJson(const std::optional<Backend>& backend) {
  if (!backend.has_value()) return Json();
  return {{"address", backend->address.ToString()}, {"port", backend->port}};
}

Json AffinityJson(const AffinityClient& client, const Names& names) {
  return {{"namespace", client.service.name_space},
          {"service", client.service.name},
          {"servicePort", client.service.port},
          {"protocol", ProtocolText(client.service.protocol)},
          {"client", ClientJson(client, names)},
          {"family", std::string(FamilyName(client.address.family()))},
          {"backend", BackendJson(client.backend)},
          {"idleSeconds", client.idle_s},
          {"timeoutSeconds", client.timeout_s},
          {"remainingSeconds", std::max(0.0, client.timeout_s - client.idle_s)}};
}

std::string ServiceCell(const Json& entry) {
  const std::string port = TextAt(entry, "servicePort");
  return absl::StrCat(TextAt(entry, "service"), port.empty() ? "" : ":", port);
}

std::string ClientCell(const Json& entry) {
  const Json& client = entry["client"];
  if (!client["address"].is_null()) return TextAt(client, "address");
  if (!client["netns"].is_null()) return TextAt(client, "netns");
  return absl::StrCat("netns ", TextAt(client, "netnsCookie"));
}

std::string BackendCell(const Json& entry) {
  return entry["backend"].is_null() ? "gone" : AddressAndPortText(entry["backend"]);
}

std::string RemainingCell(const Json& entry) {
  const double remaining = entry["remainingSeconds"].get<double>();
  return remaining > 0 ? SecondsText(remaining) : "expired";
}

std::vector<Column> Columns() {
  return {
      {"NAMESPACE", [](const Json& entry) { return TextAt(entry, "namespace"); },
       Shown::kAllNamespaces},
      {"SERVICE", ServiceCell},
      {"CLIENT", ClientCell},
      {"FAMILY", [](const Json& entry) { return TextAt(entry, "family"); }},
      {"BACKEND", BackendCell},
      {"IDLE", [](const Json& entry) { return SecondsText(entry["idleSeconds"].get<double>()); }},
      {"REMAINING", RemainingCell},
      {"TIMEOUT", [](const Json& entry) { return TextAt(entry, "timeoutSeconds"); }, Shown::kWide},
      {"COOKIE", [](const Json& entry) { return TextAt(entry["client"], "netnsCookie"); },
       Shown::kWide},
  };
}

Listing AffinityListing(const std::vector<AffinityClient>& clients, const Names& names) {
  return {.kind = "Affinity", .columns = Columns(), .each = [&](Listing::Sink sink) {
            for (const AffinityClient& client : clients) sink(AffinityJson(client, names));
          }};
}

}  // namespace

absl::Status GetAffinity(Session& session) {
  const Options& options = session.options();
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  SHUNT_ASSIGN_OR_RETURN(const std::vector<AffinityClient> clients,
                         source->AffinityClients(options.Filter()));
  if (clients.empty() && !options.machine_readable()) {
    session.err() << "No client has a backend by session affinity"
                  << (options.all_namespaces ? ".\n" : " (-A shows those of all namespaces).\n");
    return absl::OkStatus();
  }
  PrintListing(AffinityListing(clients, clients.empty() ? Names() : NetnsNames()), options,
               session.out());
  return absl::OkStatus();
}

}  // namespace shunt
