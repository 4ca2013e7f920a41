// SPDX-License-Identifier: Apache-2.0
// The agent at an API server: start, restart, changes, a storm of them, and none.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "tests/bench/agent_watch.h"
#include "tests/bench/api_objects.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/fake_api_server.h"
#include "tests/bench/kube_proxy.h"
#include "tests/bench/process_use.h"
#include "tests/support/environment.h"
#include "tests/support/http_client.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

constexpr ClusterShape kShape = {.services = 10000, .endpoints = 10};
constexpr int kMarker = kShape.services - 1;  // changes last, and in no storm
constexpr double kMs = 1e6, kUs = 1e3, kSecond = 1e9;
constexpr double kStormRate = 20'000;  // events in a second
constexpr int kBatch = 100;            // events of one write
constexpr double kBookmarkSeconds = 60;
constexpr absl::Duration kOpponentLimit = absl::Minutes(2);  // for each thing that it does

Goal AtMost(double value) { return {Goal::kAtMost, value}; }
Goal AtLeast(double value) { return {Goal::kAtLeast, value}; }

// What all measurements share. Events get versions that the agent has not seen.
struct Bench {
  const BenchOptions& options;
  Report& report;
  FakeApiServer& server;
  std::unique_ptr<AgentWatch> agent;
  uint64_t version = 200'000;
  int move = 0;  // of the last event, so that each is a change

  std::string Event(int service) {
    return SliceFrame(kShape, service, ++move, "MODIFIED", ++version);
  }
};

void Add(Report& report, const std::string& metric, std::vector<double> ns, const std::string& unit,
         std::optional<Goal> goal = {}, double share = 0.5) {
  for (double& sample : ns) sample /= unit == "ms" ? kMs : kUs;
  report.Add(
      {.metric = metric, .estimate = EstimateQuantile(ns, share), .unit = unit, .goal = goal});
}

void AddOne(Bench& bench, const std::string& metric, double value, const std::string& unit,
            std::optional<Goal> goal = {}) {
  bench.report.Add({.metric = metric, .estimate = {.value = value}, .unit = unit, .goal = goal});
}

constexpr int kSteadySeconds = 3;  // after which nothing is given back any more

// `field`: of /proc/PID/status.
void AddField(Bench& bench, const std::string& when, const std::string& field,
              std::optional<Goal> goal = {}) {
  AddOne(bench, absl::StrCat(when, ": ", field), MemoryMiBOf(bench.agent->pid(), field), "MiB",
         goal);
}

void AddMemory(Bench& bench, const std::string& when) {
  sleep(kSteadySeconds);
  AddField(bench, when, "VmHWM", AtMost(128));
  AddField(bench, when, "VmRSS", AtMost(64));
  AddField(bench, when, "RssAnon");
}

// With no maps, nor anything else, of an earlier agent.
absl::Status MeasureStart(Bench& bench) {
  const int rounds = bench.options.quick ? 2 : 9;
  std::vector<double> total, beyond;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress("start of the agent", i, rounds);
    bench.agent.reset();
    SHUNT_ASSIGN_OR_RETURN(bench.agent,
                           AgentWatch::Start({"--kubeconfig", bench.server.kubeconfig(),
                                              "--api-servers-file", "/dev/null"}));
    total.push_back(bench.agent->start_ns());
    beyond.push_back(bench.agent->started_ns() + bench.agent->start_ns() -
                     bench.server.listed_ns());
  }
  ShowProgress("start of the agent", rounds, rounds);
  Add(bench.report, "start to /readyz 200", total, "ms", AtMost(1000));
  Add(bench.report, "start: last list sent to /readyz 200", beyond, "ms");
  AddMemory(bench, "started");
  return absl::OkStatus();
}

// A slice has changed while no agent ran.
absl::Status MeasureRestart(Bench& bench) {
  const int rounds = bench.options.quick ? 2 : 9;
  std::vector<double> total, beyond;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress("restart of the agent", i, rounds);
    bench.server.MoveInList(0, ++bench.move);
    SHUNT_ASSIGN_OR_RETURN(const double changed, bench.agent->TimeOfChange(0, [&bench] {
      return bench.agent->Restart();
    }));
    total.push_back(changed - bench.agent->started_ns());
    beyond.push_back(changed - bench.server.listed_ns());
    SHUNT_RETURN_IF_ERROR(bench.agent->WaitUntilReady());
  }
  ShowProgress("restart of the agent", rounds, rounds);
  Add(bench.report, "restart to a change in the kernel", total, "ms");
  Add(bench.report, "restart: last list sent to a change in the kernel", beyond, "ms", AtMost(200));
  AddMemory(bench, "restarted");
  return absl::OkStatus();
}

// Single events, with pauses in between.
absl::Status MeasureEvents(Bench& bench) {
  const int rounds = bench.options.quick ? 100 : 2000;
  std::vector<double> samples;
  const ProcessUse before = UseOf(bench.agent->pid());
  for (int i = 0; i < rounds; ++i) {
    ShowProgress("single events", i, rounds);
    const int service = i * 7919 % kMarker;
    const std::string event = bench.Event(service);
    usleep(10'000);
    double sent = 0;
    SHUNT_ASSIGN_OR_RETURN(const double changed, bench.agent->TimeOfChange(service, [&] {
      sent = NowNs();
      bench.server.SendSlices(event);
      return absl::OkStatus();
    }));
    samples.push_back(changed - sent);
  }
  ShowProgress("single events", rounds, rounds);
  const double cpu_ns = UseOf(bench.agent->pid()).cpu_ns - before.cpu_ns;
  Add(bench.report, "slice event sent -> in the map: median", samples, "us", AtMost(200));
  Add(bench.report, "slice event sent -> in the map: 99th of 100", samples, "us", AtMost(1000),
      0.99);
  AddOne(bench, "slice event: CPU time of the agent, all of it", cpu_ns / rounds / kUs, "us");
  return absl::OkStatus();
}

// Frames of one event each, for all Services in turn, in batches.
std::vector<std::string> RenderStorm(Bench& bench) {
  std::vector<std::string> batches;
  for (int round = 0; round < 2; ++round) {
    for (int service = 0; service + kBatch < kMarker; service += kBatch) {
      std::string batch;
      for (int i = 0; i < kBatch; ++i) {
        batch += SliceFrame(kShape, service + i, 1 + round, "MODIFIED", ++bench.version);
      }
      batches.push_back(std::move(batch));
    }
  }
  return batches;
}

// How often the agent has written to the kernel, as it counts itself.
double Updates() {
  constexpr char kName[] = "\nkubeproxy_sync_proxy_rules_duration_seconds_count";
  const std::string metrics = Fetch(kMetricsPort, "/metrics");
  const size_t line = metrics.find(kName);
  return line == std::string::npos ? 0 : atof(metrics.c_str() + metrics.find(' ', line));
}

struct Storm {
  double seconds = 0;  // from the first event to the last in the map
  double lag_ns = 0;   // from when the last was sent
  double cpu_ns = 0;
  double updates = 0;
};

// `rate`: events in a second; 0 for as many as are taken.
absl::StatusOr<Storm> RunStorm(Bench& bench, const std::vector<std::string>& batches, int count,
                               double rate) {
  Storm storm;
  const double updates = Updates();
  const ProcessUse before = UseOf(bench.agent->pid());
  const double start = NowNs();
  double last = 0;
  const auto blow = [&] {
    for (int i = 0; i < count; ++i) {
      while (rate > 0 && NowNs() < start + i * kBatch / rate * kSecond) usleep(200);
      bench.server.SendSlices(batches[i % batches.size()]);
    }
    const std::string marker = bench.Event(kMarker);
    last = NowNs();
    bench.server.SendSlices(marker);
    return absl::OkStatus();
  };
  SHUNT_ASSIGN_OR_RETURN(const double changed, bench.agent->TimeOfChange(kMarker, blow));
  storm.seconds = (changed - start) / kSecond;
  storm.lag_ns = changed - last;
  storm.cpu_ns = UseOf(bench.agent->pid()).cpu_ns - before.cpu_ns;
  storm.updates = Updates() - updates;
  return storm;
}

// On one CPU, with the server on another.
absl::Status MeasureStorm(Bench& bench) {
  const std::vector<std::string> batches = RenderStorm(bench);
  SHUNT_RETURN_IF_ERROR(PinProcess(bench.agent->pid(), 0));
  std::ofstream(absl::StrCat("/proc/", bench.agent->pid(), "/clear_refs")) << 5;  // VmHWM anew
  const int seconds = bench.options.quick ? 2 : 10;
  const int count = static_cast<int>(seconds * kStormRate / kBatch);
  ShowProgress("a storm of events", 0, 2);
  SHUNT_ASSIGN_OR_RETURN(const Storm paced, RunStorm(bench, batches, count, kStormRate));
  ShowProgress("a storm of events", 1, 2);
  SHUNT_ASSIGN_OR_RETURN(const Storm flood, RunStorm(bench, batches, count, 0));
  ShowProgress("a storm of events", 2, 2);
  const double events = count * kBatch + 1;
  AddOne(bench, "20,000 events a second: the last in the map after", paced.lag_ns / kMs, "ms");
  AddOne(bench, "20,000 events a second: of one core", paced.cpu_ns / paced.seconds / kSecond, "",
         AtMost(1));
  AddOne(bench, "20,000 events a second: events in one update", events / paced.updates, "");
  AddOne(bench, "as many events as it takes, a second", events / flood.seconds, "",
         AtLeast(kStormRate));
  AddOne(bench, "as many events as it takes, a second of its CPU time",
         events / flood.cpu_ns * kSecond, "", AtLeast(kStormRate));
  AddMemory(bench, "after the storm");
  return absl::OkStatus();
}

// Nothing happens; bookmarks come, as from any API server.
absl::Status MeasureIdle(Bench& bench) {
  const int seconds = bench.options.quick ? 5 : 60;
  sleep(1);
  const ProcessUse before = UseOf(bench.agent->pid());
  const double start = NowNs();
  for (int i = 0; i < seconds; ++i) {
    ShowProgress("idle", i, seconds);
    if (i % static_cast<int>(kBookmarkSeconds) == 0) bench.server.SendBookmarks();
    sleep(1);
  }
  ShowProgress("idle", seconds, seconds);
  const double elapsed = (NowNs() - start) / kSecond;
  const ProcessUse after = UseOf(bench.agent->pid());
  AddOne(bench, "idle: wake-ups a second",
         static_cast<double>(after.waits - before.waits) / elapsed, "", AtMost(1));
  AddOne(bench, "idle: of one core, in percent",
         (after.cpu_ns - before.cpu_ns) / kSecond / elapsed * 100, "%", AtMost(0.1));
  return absl::OkStatus();
}

// The opponent, with the same objects. A change is seen by a connect.
absl::Status MeasureKubeProxy(Bench& bench, const std::string& mode) {
  const ClusterShape shape = {.services = bench.options.quick ? 1000 : kShape.services,
                              .endpoints = kShape.endpoints};
  const std::string name =
      absl::StrCat("kube-proxy 1.36.3, ", mode, ", ", shape.services, " services");
  const int rounds = bench.options.quick ? 2 : 9;
  ShowProgress(name, 0, rounds);
  const auto proxy = KubeProxy::Start(shape, mode, kOpponentLimit);
  if (absl::IsDeadlineExceeded(proxy.status())) {
    absl::FPrintF(stderr, "%s: %s\n", name, proxy.status().message());
    return absl::OkStatus();
  }
  SHUNT_RETURN_IF_ERROR(proxy.status());
  std::vector<double> samples;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress(name, i, rounds);
    SHUNT_ASSIGN_OR_RETURN(const double ns,
                           (*proxy)->NsUntilChanged(i * 7919 % shape.services, 1, ++bench.version));
    samples.push_back(ns);
  }
  ShowProgress(name, rounds, rounds);
  Add(bench.report, name + ": start to the first connect", {(*proxy)->start_ns()}, "ms");
  Add(bench.report, name + ": slice event sent -> seen by a connect", samples, "ms");
  bench.report.Add(
      {.metric = name + ": VmHWM", .estimate = {.value = (*proxy)->peak_mib()}, .unit = "MiB"});
  return absl::OkStatus();
}

absl::Status MeasureOpponents(Bench& bench) {
  if (KubeProxy::Program().empty()) {
    absl::FPrintF(stderr, "no kube-proxy: tests/cluster/build-binaries makes one\n");
    return absl::OkStatus();
  }
  SHUNT_RETURN_IF_ERROR(MeasureKubeProxy(bench, "nftables"));
  return MeasureKubeProxy(bench, "iptables");
}

absl::Status MeasureAll(const BenchOptions& options, Report& report) {
  ShowProgress("cluster of the API server", 0, 1);
  FakeApiServer server(kShape, kOwnNode, testing::GetEnvironment()->directory);
  ShowProgress("cluster of the API server", 1, 1);
  Bench bench = {.options = options, .report = report, .server = server, .agent = nullptr};
  SHUNT_RETURN_IF_ERROR(MeasureStart(bench));
  SHUNT_RETURN_IF_ERROR(MeasureRestart(bench));
  SHUNT_RETURN_IF_ERROR(MeasureEvents(bench));
  SHUNT_RETURN_IF_ERROR(MeasureIdle(bench));
  SHUNT_RETURN_IF_ERROR(MeasureStorm(bench));
  bench.agent.reset();
  return MeasureOpponents(bench);
}

}  // namespace
}  // namespace shunt::bench

int main(int argc, char** argv) {
  return shunt::bench::RunBenchmark(argc, argv, "bench_api_server", shunt::bench::MeasureAll);
}
