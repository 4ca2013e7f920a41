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
  static const auto* fates =
      new std::map<std::string, TrafficFate>{{"REFUSED", TrafficFate::kRefused},
                                             {"DROPPED", TrafficFate::kDropped},
                                             {"DENIED", TrafficFate::kDenied},
                                             {"DIRECT", TrafficFate::kDirect},
                                             {"STICKY", TrafficFate::kSticky}};
  if (words.empty()) return absl::InvalidArgumentError("nothing follows =>");
  const auto fate = fates->find(words[0]);
  if (fate != fates->end()) line.fate = fate->second;
  for (size_t i = fate == fates->end() ? 0 : 1; i < words.size(); ++i) {
    SHUNT_ASSIGN_OR_RETURN(HostPort backend, HostPort::Parse(absl::StripSuffix(words[i], ",")));
    line.backends.push_back(backend);
  }
  if (line.IsServed() == line.backends.empty()) {
    return absl::InvalidArgumentError("something is wrong behind the fate");
  }
  std::sort(line.backends.begin(), line.backends.end());
  return absl::OkStatus();
}

// "pod CLIENT", "outside CLIENT" or "host": returns how many words that were.
absl::StatusOr<size_t> SetOrigin(const std::vector<std::string>& words, TrafficLine& line) {
  if (words[0] == "host") {
    line.origin = Origin::kHost;
    return 1;
  }
  if (words[0] != "pod" && words[0] != "outside") {
    return absl::InvalidArgumentError(absl::StrCat("nothing starts at a \"", words[0], "\""));
  }
  line.origin = words[0] == "pod" ? Origin::kPod : Origin::kOutside;
  SHUNT_ASSIGN_OR_RETURN(line.client, IpAddress::Parse(words[1]));
  return 2;
}

// ORIGIN -> ADDRESS:PORT[/PROTOCOL] [HOW…] => FATE
absl::StatusOr<TrafficLine> ParseTraffic(const std::vector<std::string>& words) {
  constexpr char kForm[] = "not ORIGIN -> ADDRESS:PORT[/PROTOCOL] [HOW] => FATE";
  const auto arrow = std::find(words.begin(), words.end(), "=>");
  const auto dials = std::find(words.begin(), arrow, "->");
  if (arrow == words.end() || arrow - dials < 2 || dials == words.begin()) {
    return absl::InvalidArgumentError(kForm);
  }
  TrafficLine line;
  SHUNT_ASSIGN_OR_RETURN(const size_t origin_words, SetOrigin(words, line));
  if (words.begin() + origin_words != dials) return absl::InvalidArgumentError(kForm);
  std::string to = dials[1];
  SHUNT_ASSIGN_OR_RETURN(shunt_protocol protocol, TakeProtocol(to));
  line.how.transport = protocol == SHUNT_UDP ? Transport::kUdp : Transport::kTcp;
  SHUNT_ASSIGN_OR_RETURN(line.to, HostPort::Parse(to));
  for (auto word = dials + 2; word != arrow; ++word) SHUNT_RETURN_IF_ERROR(SetHow(*word, line));
  SHUNT_RETURN_IF_ERROR(SetFate({arrow + 1, words.end()}, line));
  if (line.origin != Origin::kHost && line.client.family() != line.to.address.family()) {
    return absl::InvalidArgumentError("a client dials its own family");
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
    return absl::Status(status.code(), absl::StrCat(Where(), ": ", status.message()));
  }

  Scenario Finish() {
    CloseStep();
    scenario_.node_name = cluster_.node_name();
    return std::move(scenario_);
  }

 private:
  enum class Section { kCluster, kTraffic, kDump };

  std::string Where() const { return absl::StrCat(file_, ":", number_); }
  Step& step() { return scenario_.steps.back(); }

  void CloseStep() {
    step().cluster = cluster_.Build();
    step().node_port_addresses = cluster_.node_port_addresses();
  }

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
    traffic.text = absl::StrCat(Where(), ": ", line);
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
