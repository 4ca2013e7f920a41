// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "userspace/api/proto_flows.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/get.h"
#include "userspace/cli/seconds_text.h"
#include "userspace/cli/target.h"

namespace shunt {
namespace {

absl::StatusOr<FlowFilter> FilterOf(const Options& options) {
  FlowFilter filter = {.service = options.Filter(), .state = FlowStateOf(options.state)};
  if (!options.address.empty()) {
    SHUNT_ASSIGN_OR_RETURN(filter.address, ParseAddresses(options.address));
  }
  if (!options.protocol.empty()) {
    SHUNT_ASSIGN_OR_RETURN(filter.protocol, ParseProtocol(options.protocol));
  }
  return filter;
}

Json FlowJson(const PacketFlow& flow) {
  return {{"namespace", flow.service.name_space},
          {"service", flow.service.name},
          {"servicePort", flow.service.port},
          {"protocol", ProtocolText(flow.service.protocol)},
          {"client", flow.client.ToString()},
          {"dialled", flow.dialled.ToString()},
          {"backend", flow.backend.ToString()},
          {"seenAs", flow.seen_as.has_value() ? Json(flow.seen_as->ToString()) : Json()},
          {"state", FlowStateName(flow.state)},
          {"idleSeconds", flow.idle_s},
          {"expiresInSeconds", flow.expires_s}};
}

std::string ServiceCell(const Json& flow) {
  const std::string port = TextAt(flow, "servicePort");
  return absl::StrCat(TextAt(flow, "service"), port.empty() ? "" : ":", port);
}

std::vector<Column> Columns() {
  return {
      {"NAMESPACE", [](const Json& flow) { return TextAt(flow, "namespace"); },
       Shown::kAllNamespaces},
      {"SERVICE", ServiceCell},
      {"PROTOCOL", [](const Json& flow) { return TextAt(flow, "protocol"); }},
      {"CLIENT", [](const Json& flow) { return TextAt(flow, "client"); }},
      {"DIALLED", [](const Json& flow) { return TextAt(flow, "dialled"); }},
      {"BACKEND", [](const Json& flow) { return TextAt(flow, "backend"); }},
      {"SEEN AS", [](const Json& flow) { return TextAt(flow, "seenAs"); }},
      {"STATE", [](const Json& flow) { return TextAt(flow, "state"); }},
      {"IDLE", [](const Json& flow) { return SecondsText(flow["idleSeconds"].get<double>()); }},
      {"EXPIRES IN",
       [](const Json& flow) { return SecondsText(flow["expiresInSeconds"].get<double>()); },
       Shown::kWide},
  };
}

// What the client sees of it: none is there twice.
std::string IdentityOf(const Json& flow) {
  return absl::StrCat(TextAt(flow, "protocol"), " ", TextAt(flow, "client"), " ",
                      TextAt(flow, "dialled"));
}

absl::StatusOr<Listing> FlowListing(Source& source, const Options& options) {
  SHUNT_ASSIGN_OR_RETURN(const FlowFilter filter, FilterOf(options));
  SHUNT_ASSIGN_OR_RETURN(std::vector<PacketFlow> flows, source.Flows(filter));
  return Listing{.kind = "Flow",
                 .columns = Columns(),
                 .identity = IdentityOf,
                 .passing = {"idleSeconds", "expiresInSeconds"},
                 .each = [flows = std::move(flows)](Listing::Sink sink) {
                   for (const PacketFlow& flow : flows) sink(FlowJson(flow));
                 }};
}

}  // namespace

absl::Status GetFlows(Session& session) {
  return GetOfServices(session, "flow of service", FlowListing);
}

}  // namespace shunt
