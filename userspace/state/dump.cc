// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/dump.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/state/tracer.h"

namespace shunt {
namespace {

// FRONTEND, SERVICE, BACKEND, NOTE.
using Row = std::array<std::string, 4>;
using Rows = std::vector<Row>;

constexpr std::string_view kNone = "-";
constexpr std::string_view kColumnGap = "   ";

struct FrontendOfService {
  const Frontend* frontend;
  const ServicePortName* service;
  const ServicePortState* state;
};

std::vector<FrontendOfService> SortedFrontends(const DatapathState& state) {
  std::vector<FrontendOfService> frontends;
  for (const auto& [service, port_state] : state) {
    for (const Frontend& frontend : port_state->frontends) {
      if (frontend.kind == SHUNT_OTHER_PORTS) continue;
      frontends.push_back({&frontend, &service, port_state.get()});
    }
  }
  std::sort(frontends.begin(), frontends.end(), [](const auto& a, const auto& b) {
    return std::tie(a.frontend->key, *a.service) < std::tie(b.frontend->key, *b.service);
  });
  return frontends;
}

std::string NoteOfEmptyList(const Frontend& frontend) {
  return frontend.when_empty == SHUNT_NO_ENDPOINT ? "refused"
                                                  : std::string(VerdictName(frontend.when_empty));
}

// What a client has to be, "" for everybody.
std::string AskedOfClients(const Frontend& frontend, const ServicePortState& state) {
  if (frontend.key.scope == SHUNT_SCOPE_NODE && !IsSeenAtSocket(frontend.key)) {
    return "(not seen at the socket)";
  }
  if (frontend.host_only) return "(host only)";
  if (!frontend.checks_source) return "";
  if (state.sources.empty()) return "(from nobody)";
  return absl::StrCat("(from ",
                      absl::StrJoin(state.sources, ", ",
                                    [](std::string* text, const Cidr& range) {
                                      absl::StrAppend(text, range.ToString());
                                    }),
                      ")");
}

std::string Note(std::string first, const std::string& asked) {
  return first.empty() || asked.empty() ? first + asked : absl::StrCat(first, " ", asked);
}

void AppendFrontend(const FrontendOfService& entry, Rows& rows) {
  const std::string frontend = entry.frontend->key.ToString();
  const std::string service = entry.service->ToString();
  const std::vector<Backend> list = entry.state->ListOf(*entry.frontend);
  const std::string asked = AskedOfClients(*entry.frontend, *entry.state);
  if (list.empty()) {
    rows.push_back(
        {frontend, service, std::string(kNone), Note(NoteOfEmptyList(*entry.frontend), asked)});
  }
  for (const Backend& backend : list) {
    rows.push_back({frontend, service, backend.ToString(), asked});
  }
}

void AppendDraining(const ServicePortName& service, const ServicePortState& state, Rows& rows) {
  for (const Backend& backend : state.backends) {
    const bool chosen =
        std::any_of(state.frontends.begin(), state.frontends.end(),
                    [&](const Frontend& frontend) { return frontend.Chooses(backend); });
    if (!chosen) {
      rows.push_back({std::string(kNone), service.ToString(), backend.ToString(), "draining"});
    }
  }
}

std::array<size_t, 4> ColumnWidths(const Rows& rows) {
  std::array<size_t, 4> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  return widths;
}

// The last cell of a line is not padded: no line ends in blanks.
void AppendLine(const Row& row, const std::array<size_t, 4>& widths, std::string& text) {
  const size_t cells = row.back().empty() ? row.size() - 1 : row.size();
  for (size_t i = 0; i < cells; ++i) {
    text += row[i];
    if (i + 1 < cells) {
      text.append(widths[i] - row[i].size(), ' ');
      text += kColumnGap;
    }
  }
  text.push_back('\n');
}

}  // namespace

std::string Dump(const DatapathState& state) {
  Rows rows = {{"FRONTEND", "SERVICE", "BACKEND", "NOTE"}};
  for (const FrontendOfService& entry : SortedFrontends(state)) {
    AppendFrontend(entry, rows);
  }
  for (const auto& [service, port_state] : state) {
    AppendDraining(service, *port_state, rows);
  }
  const std::array<size_t, 4> widths = ColumnWidths(rows);
  std::string text;
  for (const Row& row : rows) {
    AppendLine(row, widths, text);
  }
  return text;
}

}  // namespace shunt
