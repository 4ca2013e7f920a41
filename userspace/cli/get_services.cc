// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "userspace/cli/command.h"
#include "userspace/cli/get.h"
#include "userspace/cli/state_json.h"

namespace shunt {
namespace {

constexpr size_t kNarrowItems = 3;  // as kubectl shows endpoints

// The first `limit` elements, and how many there are more.
std::string Joined(const Json& array, std::string (*text_of)(const Json&), size_t limit) {
  std::string text;
  const size_t shown = std::min(limit, array.size());
  for (size_t i = 0; i < shown; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", text_of(array[i]));
  }
  if (shown < array.size()) absl::StrAppend(&text, " + ", array.size() - shown, " more...");
  return text;
}

// As they are dialled on this node: from outside they are the same addresses.
std::string FrontendsCell(const Json& port) {
  Json inside = Json::array();
  for (const Json& frontend : port["frontends"]) {
    if (frontend["scope"] == "Node") inside.push_back(frontend);
  }
  return Joined(inside, FrontendText, kNarrowItems);
}

std::string AllFrontendsCell(const Json& port) {
  return Joined(port["frontends"], FrontendText, port["frontends"].size());
}

std::string PoliciesCell(const Json& port) {
  return Joined(
      port["frontends"], [](const Json& frontend) { return TextAt(frontend, "trafficPolicy"); },
      port["frontends"].size());
}

std::string ServingCell(const Json& port) {
  const Json& frontends = port["frontends"];
  return absl::StrCat(CountServing(port["backends"]),
                      frontends.empty() ? "" : UnseenText(frontends[0]));
}

std::string AddressesCell(const Json& port) {
  return Joined(port["backends"], AddressAndPortText, port["backends"].size());
}

Listing ServiceListing(const DatapathState& state) {
  return {
      .kind = "ServicePort",
      .columns =
          {
              {"NAMESPACE", [](const Json& port) { return TextAt(port, "namespace"); },
               Shown::kAllNamespaces},
              {"NAME", [](const Json& port) { return TextAt(port, "name"); }},
              {"PORT", [](const Json& port) { return TextAt(port, "port"); }},
              {"FRONTENDS", FrontendsCell, Shown::kNarrow},
              {"FRONTENDS", AllFrontendsCell, Shown::kWide},
              {"POLICY", PoliciesCell, Shown::kWide},
              {"BACKENDS", ServingCell},
              {"ADDRESSES", AddressesCell, Shown::kWide},
          },
      .identity =
          [](const Json& port) {
            return absl::StrCat(TextAt(port, "namespace"), "/", TextAt(port, "name"), ":",
                                TextAt(port, "port"), "/", TextAt(port, "protocol"));
          },
      .each =
          [&state](Listing::Sink sink) {
            for (const auto& [name, port] : state) sink(ServicePortJson(name, *port));
          },
  };
}

}  // namespace

absl::Status GetServices(Session& session) {
  return GetFromState(session, "service", ServiceListing);
}

}  // namespace shunt
