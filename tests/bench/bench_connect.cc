// SPDX-License-Identifier: Apache-2.0
// What a connect costs: whole TCP transactions, connect() of UDP sockets, and
// the program at connect4 alone.
#include <memory>
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

constexpr int kTargets = 65536;   // as many everywhere: the list itself takes cache
constexpr int kConnects = 2000;   // in one window
constexpr double kTransactionGoal = 0.98, kHookGoalNs = 50;

// How a client is served.
struct Setups {
  Cgroup nothing, empty;
  // By number of Services: tcp[0] has one, tcp[1] many.
  std::vector<Cgroup> tcp, udp;
  std::vector<ClusterShape> tcp_shapes, udp_shapes;

  absl::Status Make();
};

absl::Status Setups::Make() {
  SHUNT_ASSIGN_OR_RETURN(nothing, ServedCgroup::WithNothing("nothing"));
  SHUNT_ASSIGN_OR_RETURN(empty, ServedCgroup::WithEmptyProgram("empty"));
  for (int services : {1, 50000}) {
    tcp_shapes.push_back({.services = services, .protocol = SHUNT_TCP});
    udp_shapes.push_back({.services = services, .protocol = SHUNT_UDP});
    SHUNT_ASSIGN_OR_RETURN(
        tcp.emplace_back(),
        ServedCgroup::WithServices(absl::StrCat("tcp-", services), tcp_shapes.back()));
    SHUNT_ASSIGN_OR_RETURN(
        udp.emplace_back(),
        ServedCgroup::WithServices(absl::StrCat("udp-", services), udp_shapes.back()));
  }
  return absl::OkStatus();
}

std::string Count(int services) {
  return services == 1 ? "1 service" : absl::StrCat(services, " services");
}

// One way to dial.
struct Way {
  const ServedCgroup* cgroup;
  std::shared_ptr<Dialler> dialler;

  static Way Of(const Cgroup& cgroup, const ClusterShape& shape, Dialled what) {
    return {cgroup.get(), std::make_shared<Dialler>(Targets(shape, what, kTargets))};
  }
};

std::function<double()> Transactions(const Way& way, absl::Duration window) {
  return [=] {
    way.cgroup->Join();
    return way.dialler->TransactionsPerSecond(window);
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
  return static_cast<double>(after.ns - before.ns) / static_cast<double>(after.count - before.count);
}

std::function<double()> Hook(const Way& way, const std::function<double()>& connects) {
  return [=] { return NsPerRun(*way.cgroup, connects); };
}

// The first comparison is of a thing with itself: its noise is that of all.
void AddRatios(Report& report, const std::vector<Comparison>& comparisons,
               const std::vector<Pairs>& pairs) {
  const Estimate same = pairs.front().Ratio();
  const double noise = NoiseFloor(same, 1);
  report.Add({.metric = absl::StrCat(comparisons.front().name, ", transactions"),
              .estimate = EstimateMedian(pairs.front().base),
              .unit = "/s"});
  for (size_t i = 0; i < pairs.size(); ++i) {
    Row row = {.metric = comparisons[i].name, .estimate = pairs[i].Ratio(), .no_difference = 1};
    if (i > 0) row.noise = noise, row.goal = Goal{Goal::kAtLeast, kTransactionGoal};
    report.Add(row);
  }
}

void AddDifferences(Report& report, const std::vector<Comparison>& comparisons,
                    const std::vector<Pairs>& pairs, std::optional<Goal> goal) {
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

void MeasureTransactions(const Setups& setups, const BenchOptions& options, Report& report) {
  const absl::Duration window = absl::Milliseconds(options.quick ? 60 : 300);
  const auto& shapes = setups.tcp_shapes;
  const auto direct = [&](int i) { return Way::Of(setups.nothing, shapes[i], Dialled::kEndpoints); };
  std::vector<Comparison> comparisons = {
      {"direct / direct", Transactions(direct(1), window), Transactions(direct(1), window)}};
  for (size_t i = 0; i < shapes.size(); ++i) {
    comparisons.push_back(
        {absl::StrCat("ClusterIP / direct, ", Count(shapes[i].services)),
         Transactions(direct(i), window),
         Transactions(Way::Of(setups.tcp[i], shapes[i], Dialled::kServices), window)});
    comparisons.push_back(
        {absl::StrCat("pod address with Shunt / without, ", Count(shapes[i].services)),
         Transactions(direct(i), window),
         Transactions(Way::Of(setups.tcp[i], shapes[i], Dialled::kEndpoints), window)});
  }
  AddRatios(report, comparisons, Interleave("TCP transactions", comparisons, options.quick ? 5 : 40));
}

const char* Name(Sockets sockets) {
  return sockets == Sockets::kFresh ? "fresh UDP socket" : "re-used UDP socket";
}

// A figure of connect() with Shunt against the same with the empty program.
using Figure = std::function<std::function<double()>(const Way&, Sockets)>;

std::vector<Comparison> UdpComparisons(const Setups& setups, const std::string& what,
                                       Sockets sockets, const Figure& figure) {
  const auto& shapes = setups.udp_shapes;
  const auto empty = [&](int i, Dialled dialled) {
    return figure(Way::Of(setups.empty, shapes[i], dialled), sockets);
  };
  const std::string prefix = absl::StrCat(what, ", ", Name(sockets), ": ");
  std::vector<Comparison> comparisons = {{prefix + "empty - empty", empty(1, Dialled::kServices),
                                          empty(1, Dialled::kServices)}};
  for (size_t i = 0; i < shapes.size(); ++i) {
    for (Dialled dialled : {Dialled::kServices, Dialled::kOthers}) {
      comparisons.push_back(
          {absl::StrCat(prefix, dialled == Dialled::kServices ? "service" : "other", ", ",
                        Count(shapes[i].services)),
           empty(i, dialled), figure(Way::Of(setups.udp[i], shapes[i], dialled), sockets)});
    }
  }
  return comparisons;
}

void MeasureUdpConnects(const Setups& setups, const BenchOptions& options, Report& report) {
  for (Sockets sockets : {Sockets::kReused, Sockets::kFresh}) {
    std::vector<Comparison> comparisons =
        UdpComparisons(setups, "connect()", sockets, Connects);
    AddDifferences(report, comparisons,
                   Interleave(absl::StrCat("UDP connect(), ", Name(sockets)), comparisons,
                              options.quick ? 5 : 60),
                   std::nullopt);
  }
}

absl::Status MeasureHook(const Setups& setups, const BenchOptions& options, Report& report) {
  SHUNT_ASSIGN_OR_RETURN(const RunTimeStats stats, RunTimeStats::Enable());
  const Figure figure = [](const Way& way, Sockets sockets) {
    return Hook(way, Connects(way, sockets));
  };
  for (Sockets sockets : {Sockets::kReused, Sockets::kFresh}) {
    std::vector<Comparison> comparisons = UdpComparisons(setups, "connect4", sockets, figure);
    AddDifferences(report, comparisons,
                   Interleave(absl::StrCat("run time of connect4, ", Name(sockets)), comparisons,
                              options.quick ? 5 : 60),
                   Goal{Goal::kAtMost, kHookGoalNs});
  }
  return absl::OkStatus();
}

absl::Status MeasureAll(const BenchOptions& options, Report& report) {
  Setups setups;
  ShowProgress("fill the maps", 0, 1);
  SHUNT_RETURN_IF_ERROR(setups.Make());
  ShowProgress("fill the maps", 1, 1);
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<TwoPods> pods, TwoPods::Make());
  absl::Status status;
  pods->RunClient([&] {
    MeasureTransactions(setups, options, report);
    MeasureUdpConnects(setups, options, report);
    status = MeasureHook(setups, options, report);
  });
  return status;
}

}  // namespace
}  // namespace shunt::bench

int main(int argc, char** argv) {
  return shunt::bench::RunBenchmark(argc, argv, "bench_connect", shunt::bench::MeasureAll);
}
