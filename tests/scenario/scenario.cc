// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/scenario.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/scenario/cluster_builder.h"
#include "tests/scenario/words.h"
#include "userspace/base/status.h"

namespace shunt::testing {
namespace {

absl::Status SetHow(const std::string& word, TrafficLine& line) {
  static const auto* transports =
      new std::map<std::string, Transport>{{"non-blocking", Transport::kTcpNonBlocking},
                                           {"fast-open", Transport::kTcpFastOpen},
                                           {"mptcp", Transport::kMptcp},
                                           {"connected", Transport::kUdpConnected}};
  if (word == "mapped") {
    line.how.mapped = true;
    return absl::OkStatus();
  }
  const auto found = transports->find(word);
  if (found == transports->end()) {
    return absl::InvalidArgumentError(absl::StrCat(word, " is no way to dial"));
  }
  if (IsUdp(found->second) != IsUdp(line.how.transport)) {
    return absl::InvalidArgumentError(absl::StrCat(word, " is for the other protocol"));
  }
  line.how.transport = found->second;
  return absl::OkStatus();
}

absl::Status SetFate(const std::vector<std::string>& words, TrafficLine& line) {
  if (words.empty()) return absl::InvalidArgumentError("nothing follows =>");
  line.fate = words[0] == "REFUSED"  ? TrafficFate::kRefused
              : words[0] == "DIRECT" ? TrafficFate::kDirect
                                     : TrafficFate::kBackends;
  if (line.fate != TrafficFate::kBackends) {
    return words.size() == 1 ? absl::OkStatus()
                             : absl::InvalidArgumentError("something follows the fate");
  }
  for (const std::string& word : words) {
    SHUNT_ASSIGN_OR_RETURN(HostPort backend, HostPort::Parse(absl::StripSuffix(word, ",")));
    line.backends.push_back(backend);
  }
  std::sort(line.backends.begin(), line.backends.end());
  return absl::OkStatus();
}

// pod CLIENT -> ADDRESS:PORT[/PROTOCOL] [HOW…] => FATE
absl::StatusOr<TrafficLine> ParseTraffic(const std::vector<std::string>& words) {
  const auto arrow = std::find(words.begin(), words.end(), "=>");
  if (arrow == words.end() || arrow - words.begin() < 4 || words[0] != "pod" || words[2] != "->") {
    return absl::InvalidArgumentError("not pod ADDRESS -> ADDRESS:PORT[/PROTOCOL] [HOW] => FATE");
  }
  TrafficLine line;
  SHUNT_ASSIGN_OR_RETURN(line.how.source, IpAddress::Parse(words[1]));
  std::string to = words[3];
  SHUNT_ASSIGN_OR_RETURN(shunt_protocol protocol, TakeProtocol(to));
  line.how.transport = protocol == SHUNT_UDP ? Transport::kUdp : Transport::kTcp;
  SHUNT_ASSIGN_OR_RETURN(line.to, HostPort::Parse(to));
  for (auto word = words.begin() + 4; word != arrow; ++word) {
    SHUNT_RETURN_IF_ERROR(SetHow(*word, line));
  }
  SHUNT_RETURN_IF_ERROR(SetFate({arrow + 1, words.end()}, line));
  if (line.how.source->family() != line.to.address.family()) {
    return absl::InvalidArgumentError("a pod dials its own family");
  }
  return line;
}

// Reads a file line by line.
class Parser {
 public:
  explicit Parser(std::string file) : file_(std::move(file)) { scenario_.steps.emplace_back(); }

  absl::Status ReadLine(const std::string& line) {
    ++number_;
    absl::Status status = absl::StartsWith(line, "---") ? EnterSection(line) : ReadInSection(line);
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat(Origin(), ": ", status.message()));
  }

  Scenario Finish() {
    CloseStep();
    scenario_.node_name = cluster_.node_name();
    return std::move(scenario_);
  }

 private:
  enum class Section { kCluster, kTraffic, kDump };

  std::string Origin() const { return absl::StrCat(file_, ":", number_); }
  Step& step() { return scenario_.steps.back(); }

  void CloseStep() { step().cluster = cluster_.Build(); }

  absl::Status EnterSection(const std::string& line) {
    const std::vector<std::string> words = SplitWords(line);
    const std::string name = words.size() == 2 ? words[1] : "";
    if (name == "change") {
      CloseStep();
      scenario_.steps.emplace_back();
      section_ = Section::kCluster;
    } else if (name == "traffic") {
      section_ = Section::kTraffic;
    } else if (name == "dump") {
      section_ = Section::kDump;
      step().dump = "";
    } else {
      return absl::InvalidArgumentError("a section is --- traffic, --- dump or --- change");
    }
    return absl::OkStatus();
  }

  absl::Status ReadInSection(const std::string& line) {
    const std::vector<std::string> words = SplitWords(line);
    if (words.empty() || absl::StartsWith(words[0], "#")) return absl::OkStatus();
    if (section_ == Section::kCluster) return cluster_.Add(words);
    if (section_ == Section::kDump) {
      absl::StrAppend(&*step().dump, line, "\n");
      return absl::OkStatus();
    }
    SHUNT_ASSIGN_OR_RETURN(TrafficLine traffic, ParseTraffic(words));
    traffic.origin = absl::StrCat(Origin(), ": ", line);
    step().traffic.push_back(std::move(traffic));
    return absl::OkStatus();
  }

  const std::string file_;
  int number_ = 0;
  Section section_ = Section::kCluster;
  ClusterBuilder cluster_;
  Scenario scenario_;
};

bool Same(const ServiceInput& a, const ServiceInput& b) {
  return *a.service == *b.service &&
         std::equal(a.slices.begin(), a.slices.end(), b.slices.begin(), b.slices.end(),
                    [](const auto& x, const auto& y) { return *x == *y; });
}

}  // namespace

absl::StatusOr<Scenario> ParseScenario(const std::string& file, const std::string& text) {
  Parser parser(file);
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    SHUNT_RETURN_IF_ERROR(parser.ReadLine(line));
  }
  return parser.Finish();
}

ClusterChanges Difference(const ClusterSnapshot& before, const ClusterSnapshot& after) {
  ClusterChanges changes = {.services = {}, .node_changed = false, .node = after.node};
  for (const auto& [name, input] : after.services) {
    const auto old = before.services.find(name);
    if (old == before.services.end() || !Same(old->second, input)) changes.services[name] = input;
  }
  for (const auto& [name, input] : before.services) {
    if (!after.services.contains(name)) changes.services[name] = {};
  }
  changes.node_changed =
      (before.node == nullptr) != (after.node == nullptr) ||
      (before.node != nullptr && after.node != nullptr && !(*before.node == *after.node));
  return changes;
}

}  // namespace shunt::testing
