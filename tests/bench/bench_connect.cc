// SPDX-License-Identifier: Apache-2.0
// What a connect costs: whole TCP transactions, connect() of UDP sockets, and
// the program at connect4 alone.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/cluster.h"
#include "tests/bench/served_cgroup.h"
#include "tests/bench/transaction.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

using Sockets = Dialler::Sockets;
using Cgroup = std::unique_ptr<ServedCgroup>;

constexpr int kTargets = 65536;  // as many everywhere: the list itself takes cache
constexpr int kConnects = 2000;  // in one window
constexpr double kTransactionGoal = 0.98, kHookGoalNs = 50, kAffinityGoalNs = 100;

// What the maps hold, and how many of its Services are dialled.
struct Case {
  std::string name;
  int services, dialled;

  ClusterShape Shape() const { return {.services = services}; }
  std::vector<sockaddr_in> Targets(Dialled what) const {
    return bench::Targets({.services = dialled}, what, kTargets);
  }
};

// The last dials at random among all: what it looks up is in no cache.
const std::vector<Case> kCases = {{"1 service", 1, 1},
                                  {"50,000 services, 1 dialled", 50000, 1},
                                  {"50,000 services, all dialled", 50000, 50000}};

// How a client is served.
struct Setups {
  Cgroup nothing, empty;
  std::map<int, Cgroup> tcp, udp;  // by number of Services

  absl::Status Make();
};

absl::StatusOr<Cgroup> Serve(ClusterShape shape, shunt_protocol protocol) {
  shape.protocol = protocol;
  return ServedCgroup::WithServices(
      absl::StrCat(protocol == SHUNT_TCP ? "tcp-" : "udp-", shape.services), shape);
}

absl::Status Setups::Make() {
  SHUNT_ASSIGN_OR_RETURN(nothing, ServedCgroup::WithNothing("nothing"));
  SHUNT_ASSIGN_OR_RETURN(empty, ServedCgroup::WithEmptyProgram("empty"));
  for (const Case& c : kCases) {
    if (tcp[c.services] != nullptr) continue;
    SHUNT_ASSIGN_OR_RETURN(tcp[c.services], Serve(c.Shape(), SHUNT_TCP));
    SHUNT_ASSIGN_OR_RETURN(udp[c.services], Serve(c.Shape(), SHUNT_UDP));
  }
  return absl::OkStatus();
}

// One way to dial.
struct Way {
  const ServedCgroup* cgroup;
  std::shared_ptr<Dialler> dialler;

  static Way Of(const Cgroup& cgroup, const Case& c, Dialled what) {
    return {cgroup.get(), std::make_shared<Dialler>(c.Targets(what))};
  }
};

std::function<double()> Transactions(const TwoPods& pods, const Way& way, absl::Duration window) {
  return [=, &pods] {
    way.cgroup->Join();
    return way.dialler->TransactionsPerSecond(pods, window);
  };
}

std::function<double()> Connects(const Way& way, Sockets sockets) {
  return [=] {
    way.cgroup->Join();
    return way.dialler->NsPerConnect(sockets, kConnects);
  };
}

// ns that the program at connect4 takes.
double NsPerRun(const ServedCgroup& cgroup, const std::function<void()>& runs) {
  const ServedCgroup::Runs before = cgroup.ConnectRuns();
  runs();
  const ServedCgroup::Runs after = cgroup.ConnectRuns();
  return static_cast<double>(after.ns - before.ns) /
         static_cast<double>(after.count - before.count);
}

std::function<double()> Hook(const Way& way, const std::function<double()>& connects) {
  return [=] { return NsPerRun(*way.cgroup, connects); };
}

// The first comparison is of a thing with itself: its noise is that of all.
void AddRatios(Report& report, const std::vector<Comparison>& comparisons,
               const std::vector<Pairs>& pairs) {
  const double noise = NoiseFloor(pairs.front().Ratio(), 1);
  for (size_t i = 0; i < pairs.size(); ++i) {
    Row row = {.metric = comparisons[i].name, .estimate = pairs[i].Ratio(), .no_difference = 1};
    if (i > 0) row.noise = noise, row.goal = Goal{Goal::kAtLeast, kTransactionGoal};
    report.Add(row);
  }
}

void AddDifferences(Report& report, const std::vector<Comparison>& comparisons,
                    const std::vector<Pairs>& pairs, const std::optional<Goal>& goal) {
  const double noise = NoiseFloor(pairs.front().Difference(), 0);
  for (size_t i = 0; i < pairs.size(); ++i) {
    Row row = {.metric = comparisons[i].name,
               .estimate = pairs[i].Difference(),
               .unit = "ns",
               .no_difference = 0};
    if (i > 0) row.noise = noise, row.goal = goal;
    report.Add(row);
  }
}

void MeasureTransactions(const Setups& setups, const TwoPods& pods, const BenchOptions& options,
                         Report& report) {
  const absl::Duration window = absl::Milliseconds(options.quick ? 60 : 300);
  const auto direct = [&](const Case& c) {
    return Transactions(pods, Way::Of(setups.nothing, c, Dialled::kEndpoints), window);
  };
  std::vector<Comparison> comparisons = {
      {"transactions: direct / direct", direct(kCases.back()), direct(kCases.back())}};
  for (const Case& c : kCases) {
    for (Dialled what : {Dialled::kServices, Dialled::kEndpoints}) {
      const char* name = what == Dialled::kServices ? "ClusterIP" : "pod address with Shunt";
      comparisons.push_back(
          {absl::StrCat("transactions: ", name, " / direct, ", c.name), direct(c),
           Transactions(pods, Way::Of(setups.tcp.at(c.services), c, what), window)});
    }
  }
  const std::vector<Pairs> pairs =
      Interleave("TCP transactions", comparisons, options.quick ? 5 : 24);
  report.Add({.metric = "transactions: direct, in a second of CPU time",
              .estimate = EstimateMedian(pairs.front().base)});
  AddRatios(report, comparisons, pairs);
}

// A figure of connect() with Shunt, or with the empty program.
using Figure = std::function<std::function<double()>(const Way&)>;

// Shunt's figures against those of the empty program.
std::vector<Comparison> AgainstEmpty(const Cgroup& empty, const std::map<int, Cgroup>& served,
                                     const std::string& what, const Figure& figure) {
  const auto base = [&](const Case& c, Dialled dialled) {
    return figure(Way::Of(empty, c, dialled));
  };
  std::vector<Comparison> comparisons = {{absl::StrCat(what, ": empty - empty"),
                                          base(kCases.back(), Dialled::kEndpoints),
                                          base(kCases.back(), Dialled::kEndpoints)}};
  for (const Case& c : kCases) {
    comparisons.push_back({absl::StrCat(what, ": ClusterIP, ", c.name),
                           base(c, Dialled::kEndpoints),
                           figure(Way::Of(served.at(c.services), c, Dialled::kServices))});
    comparisons.push_back({absl::StrCat(what, ": pod address, ", c.name),
                           base(c, Dialled::kEndpoints),
                           figure(Way::Of(served.at(c.services), c, Dialled::kEndpoints))});
  }
  return comparisons;
}

const char* Name(Sockets sockets) {
  return sockets == Sockets::kFresh ? "fresh UDP sockets" : "a re-used UDP socket";
}

void MeasureUdpConnects(const Setups& setups, const BenchOptions& options, Report& report) {
  for (Sockets sockets : {Sockets::kReused, Sockets::kFresh}) {
    const std::string what = absl::StrCat("connect() of ", Name(sockets));
    const std::vector<Comparison> comparisons = AgainstEmpty(
        setups.empty, setups.udp, what, [=](const Way& way) { return Connects(way, sockets); });
    AddDifferences(report, comparisons, Interleave(what, comparisons, options.quick ? 5 : 60), {});
  }
}

void MeasureUdpHook(const Setups& setups, const BenchOptions& options, Report& report) {
  for (Sockets sockets : {Sockets::kReused, Sockets::kFresh}) {
    const std::string what = absl::StrCat("hook, ", Name(sockets));
    const std::vector<Comparison> comparisons =
        AgainstEmpty(setups.empty, setups.udp, what,
                     [=](const Way& way) { return Hook(way, Connects(way, sockets)); });
    AddDifferences(report, comparisons, Interleave(what, comparisons, options.quick ? 5 : 60),
                   Goal{Goal::kAtMost, kHookGoalNs});
  }
}

void MeasureTcpHook(const Setups& setups, const TwoPods& pods, const BenchOptions& options,
                    Report& report) {
  const std::string what = "hook, TCP transactions";
  const absl::Duration window = absl::Milliseconds(options.quick ? 20 : 50);
  const std::vector<Comparison> comparisons = AgainstEmpty(
      setups.empty, setups.tcp, what,
      [&, window](const Way& way) { return Hook(way, Transactions(pods, way, window)); });
  AddDifferences(report, comparisons, Interleave(what, comparisons, options.quick ? 5 : 40),
                 Goal{Goal::kAtMost, kHookGoalNs});
}

// Session affinity: the client is known, so its backend is found in the list.
absl::Status MeasureAffinity(const Setups& setups, const BenchOptions& options, Report& report) {
  const std::string what = "hook, a re-used UDP socket, session affinity";
  const std::vector<std::pair<std::string, ClusterShape>> shapes = {
      {"1 service", {.services = 1}},
      {"50,000 services, 1 dialled", {.services = 50000}},
      {"1 service of 1,000 endpoints", {.services = 1, .endpoints = 1000}}};
  const auto hook = [](const Cgroup& cgroup) {
    const Way way = Way::Of(cgroup, kCases.front(), Dialled::kServices);
    return Hook(way, Connects(way, Sockets::kReused));
  };
  std::vector<Cgroup> served;
  std::vector<Comparison> comparisons = {
      {absl::StrCat(what, ": empty - empty"), hook(setups.empty), hook(setups.empty)}};
  for (auto [name, shape] : shapes) {
    shape.protocol = SHUNT_UDP;
    shape.affinity_timeout_s = 10800;
    SHUNT_ASSIGN_OR_RETURN(
        Cgroup cgroup, ServedCgroup::WithServices(absl::StrCat("affinity-", served.size()), shape));
    served.push_back(std::move(cgroup));
    comparisons.push_back(
        {absl::StrCat(what, ": ClusterIP, ", name), hook(setups.empty), hook(served.back())});
  }
  AddDifferences(report, comparisons, Interleave(what, comparisons, options.quick ? 5 : 60),
                 Goal{Goal::kAtMost, kAffinityGoalNs});
  return absl::OkStatus();
}

absl::Status MeasureHook(const Setups& setups, const TwoPods& pods, const BenchOptions& options,
                         Report& report) {
  SHUNT_ASSIGN_OR_RETURN(const RunTimeStats stats, RunTimeStats::Enable());
  MeasureUdpHook(setups, options, report);
  MeasureTcpHook(setups, pods, options, report);
  return MeasureAffinity(setups, options, report);
}

absl::Status MeasureAll(const BenchOptions& options, Report& report) {
  Setups setups;
  ShowProgress("fill the maps", 0, 1);
  SHUNT_RETURN_IF_ERROR(setups.Make());
  ShowProgress("fill the maps", 1, 1);
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<TwoPods> pods, TwoPods::Make());
  absl::Status status;
  pods->RunClient([&] {
    MeasureTransactions(setups, *pods, options, report);
    MeasureUdpConnects(setups, options, report);
    status = MeasureHook(setups, *pods, options, report);
  });
  return status;
}

}  // namespace
}  // namespace shunt::bench

int main(int argc, char** argv) {
  return shunt::bench::RunBenchmark(argc, argv, "bench_connect", shunt::bench::MeasureAll);
}
