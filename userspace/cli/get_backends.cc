// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "userspace/cli/command.h"
#include "userspace/cli/get.h"
#include "userspace/cli/state_json.h"

namespace shunt {
namespace {

std::string ServiceCell(const Json& backend) {
  const std::string port = TextAt(backend, "servicePort");
  return absl::StrCat(TextAt(backend, "service"), port.empty() ? "" : ":", port);
}

std::string Identity(const Json& backend) {
  return absl::StrCat(TextAt(backend, "namespace"), "/", ServiceCell(backend), "/",
                      TextAt(backend, "protocol"), " ", AddressAndPortText(backend));
}

void EachBackend(const DatapathState& state, Listing::Sink sink) {
  for (const auto& [name, port] : state) {
    for (const Backend& backend : port->backends) sink(BackendJson(name, *port, backend));
  }
}

Listing BackendListing(const DatapathState& state) {
  return {
      .kind = "Backend",
      .columns =
          {
              {"NAMESPACE", [](const Json& backend) { return TextAt(backend, "namespace"); },
               Shown::kAllNamespaces},
              {"SERVICE", ServiceCell},
              {"BACKEND", AddressAndPortText},
              {"PROTOCOL", [](const Json& backend) { return TextAt(backend, "protocol"); }},
              {"STATE", [](const Json& backend) { return TextAt(backend, "state"); }},
              {"LISTS", [](const Json& backend) { return JoinedTexts(backend["lists"]); },
               Shown::kWide},
              {"FRONTENDS", [](const Json& backend) { return JoinedTexts(backend["frontends"]); },
               Shown::kWide},
          },
      .identity = Identity,
      .each = [&state](Listing::Sink sink) { EachBackend(state, sink); },
  };
}

}  // namespace

absl::Status GetBackends(Session& session) {
  return GetFromState(session, "service", BackendListing);
}

}  // namespace shunt
