// SPDX-License-Identifier: Apache-2.0
// How long changes take from a cluster to the maps, and what the agent needs.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/agent_watch.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/cluster.h"
#include "tests/bench/control_plane.h"
#include "tests/bench/process_use.h"
#include "tests/support/environment.h"
#include "tests/support/http_client.h"
#include "userspace/base/status.h"

namespace shunt::bench {
namespace {

constexpr ClusterShape kSmall = {.services = 100, .endpoints = 10};
constexpr ClusterShape kBig = {.services = 10000, .endpoints = 10};
constexpr int kServicesPerFile = 100;
constexpr double kMs = 1e6, kUs = 1e3;

std::string Name(const ClusterShape& shape) {
  return absl::StrCat(shape.services, " services x ", shape.endpoints, " endpoints");
}

Goal AtMost(double value) { return {Goal::kAtMost, value}; }

// The samples are in ns: of CPU time where nothing else is said.
void Add(Report& report, const std::string& metric, std::vector<double> samples,
         const std::string& unit, std::optional<Goal> goal = {}, double share = 0.5) {
  for (double& sample : samples) sample /= unit == "ms" ? kMs : kUs;
  report.Add(
      {.metric = metric, .estimate = EstimateQuantile(samples, share), .unit = unit, .goal = goal});
}

// Everything into empty maps.
absl::Status MeasureFirstSync(const ClusterShape& shape, const BenchOptions& options,
                              Report& report) {
  const ClusterSnapshot cluster = MakeCluster(shape);
  const int rounds = options.quick ? 2 : 15;
  std::vector<double> plan, apply, total, wall;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress(absl::StrCat("first sync of ", Name(shape)), i, rounds);
    SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<ControlPlane> control, ControlPlane::Make());
    SHUNT_ASSIGN_OR_RETURN(ControlPlane::Timings timings, control->Update(cluster));
    plan.push_back(timings.plan_ns);
    apply.push_back(timings.apply_ns);
    total.push_back(timings.total_ns());
    wall.push_back(timings.wall_ns);
  }
  ShowProgress(absl::StrCat("first sync of ", Name(shape)), rounds, rounds);
  Add(report, absl::StrCat("first sync, ", Name(shape), ": plan"), plan, "ms");
  Add(report, absl::StrCat("first sync, ", Name(shape), ": apply"), apply, "ms");
  Add(report, absl::StrCat("first sync, ", Name(shape), ": both"), total, "ms", AtMost(300));
  Add(report, absl::StrCat("first sync, ", Name(shape), ": both, wall clock"), wall, "ms");
  return absl::OkStatus();
}

// What an agent does that finds the maps as they should be.
absl::Status MeasureRestart(const ClusterShape& shape, const BenchOptions& options,
                            Report& report) {
  const ClusterSnapshot cluster = MakeCluster(shape);
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<ControlPlane> control, ControlPlane::Make());
  SHUNT_RETURN_IF_ERROR(control->Update(cluster).status());
  const int rounds = options.quick ? 2 : 15;
  std::vector<double> adopt, total;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress(absl::StrCat("restart with ", Name(shape)), i, rounds);
    SHUNT_ASSIGN_OR_RETURN(double adopted, control->Restart());
    SHUNT_ASSIGN_OR_RETURN(ControlPlane::Timings timings, control->Update(cluster));
    if (timings.writes > 0) return absl::InternalError("a restart wrote to maps that were right");
    adopt.push_back(adopted);
    total.push_back(adopted + timings.total_ns());
  }
  ShowProgress(absl::StrCat("restart with ", Name(shape)), rounds, rounds);
  Add(report, absl::StrCat("restart, ", Name(shape), ": adopt"), adopt, "ms");
  Add(report, absl::StrCat("restart, ", Name(shape), ": adopt, plan, apply"), total, "ms",
      AtMost(200));
  return absl::OkStatus();
}

struct ChangeTimes {
  std::vector<double> plan, total;
};

absl::StatusOr<ChangeTimes> TimeChanges(const ClusterShape& shape, int changes) {
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<ControlPlane> control, ControlPlane::Make());
  SHUNT_RETURN_IF_ERROR(control->Update(MakeCluster(shape)).status());
  ChangeTimes samples;
  for (int i = 0; i < changes; ++i) {
    // All over the cluster: neighbours would find each other's memory in caches.
    const int service = i * 7919 % shape.services;
    ClusterChanges change;
    change.services.emplace(ServiceName(service),
                            MoveEndpoint(shape, service, 1 + i / shape.services));
    SHUNT_ASSIGN_OR_RETURN(ControlPlane::Timings timings, control->Update(change));
    if (timings.writes == 0) return absl::InternalError("a change wrote nothing");
    samples.plan.push_back(timings.plan_ns);
    samples.total.push_back(timings.total_ns());
  }
  return samples;
}

absl::Status MeasureChanges(const BenchOptions& options, Report& report) {
  for (const ClusterShape& shape : {kSmall, kBig}) {
    ShowProgress("one endpoint moved", 0, 1);
    SHUNT_ASSIGN_OR_RETURN(const ChangeTimes times, TimeChanges(shape, options.quick ? 100 : 2000));
    const std::string metric = absl::StrCat("one endpoint moved among ", Name(shape));
    Add(report, metric + ": plan alone", times.plan, "us");
    Add(report, metric + ": median", times.total, "us", AtMost(1000));
    Add(report, metric + ": 99th of 100", times.total, "us", AtMost(1000), 0.99);
  }
  ShowProgress("one endpoint moved", 1, 1);
  return absl::OkStatus();
}

void AddMemory(Report& report, const AgentWatch& agent) {
  for (const char* field : {"VmHWM", "VmRSS", "RssAnon"}) {
    Row row = {.metric = absl::StrCat("agent, ", Name(kBig), ": ", field),
               .estimate = {.value = MemoryMiBOf(agent.pid(), field)},
               .unit = "MiB"};
    if (row.metric.back() != 'n') row.goal = AtMost(64);
    report.Add(row);
  }
}

// Writes the file in place; how long after its close began the Service is another.
absl::StatusOr<double> TimeFileChange(const AgentWatch& agent, const std::string& file,
                                      const std::string& text) {
  double start = 0;
  const auto write_file = [&] {
    UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd.ok() || write(fd.get(), text.data(), text.size()) < 0) return ErrnoStatus(file);
    start = NowNs();
    return absl::OkStatus();  // and closes it
  };
  SHUNT_ASSIGN_OR_RETURN(const double changed, agent.TimeOfChange(0, write_file));
  return changed - start;
}

// From the close of a file to the change in the map, with pauses in between.
absl::Status MeasureFileChanges(const AgentWatch& agent, const std::string& file, int services,
                                const BenchOptions& options, Report& report) {
  const int rounds = options.quick ? 5 : 100;
  std::vector<double> samples;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress(absl::StrCat("change of a file of ", services), i, rounds);
    std::string text = ManifestOf(kBig, 0, 1 + i);
    for (int s = 1; s < services; ++s) absl::StrAppend(&text, "---\n", ManifestOf(kBig, s));
    usleep(50000);
    SHUNT_ASSIGN_OR_RETURN(double ns, TimeFileChange(agent, file, text));
    samples.push_back(ns);
  }
  ShowProgress(absl::StrCat("change of a file of ", services), rounds, rounds);
  const std::string metric =
      absl::StrCat("file of ", services, services == 1 ? " service" : " services",
                   " closed -> in the map, wall clock");
  Add(report, metric + ": median", samples, "ms", AtMost(10));
  Add(report, metric + ": 99th of 100", samples, "ms", AtMost(10), 0.99);
  return absl::OkStatus();
}

// What Prometheus waits for, wall clock.
absl::Status MeasureScrapes(const BenchOptions& options, Report& report) {
  std::vector<double> scrapes;
  const int rounds = options.quick ? 5 : 50;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress("scrape", i, rounds);
    const double start = NowNs();
    const std::string answer = Fetch(kMetricsPort, "/metrics");
    scrapes.push_back(NowNs() - start);
    if (answer.find("\nshunt_frontends{") == std::string::npos) {
      return absl::InternalError("the agent's /metrics do not count the frontends");
    }
  }
  ShowProgress("scrape", rounds, rounds);
  Add(report, absl::StrCat("agent, ", Name(kBig), ": scrape of /metrics, wall clock"), scrapes,
      "ms", AtMost(50));
  return absl::OkStatus();
}

absl::Status MeasureAgent(const BenchOptions& options, Report& report) {
  const std::string manifests = testing::GetEnvironment()->directory + "/manifests";
  std::filesystem::create_directory(manifests);
  SHUNT_RETURN_IF_ERROR(WriteManifests(kBig, kServicesPerFile, manifests));
  std::vector<double> loads;
  std::unique_ptr<AgentWatch> agent;
  const int rounds = options.quick ? 1 : 3;
  for (int i = 0; i < rounds; ++i) {
    ShowProgress("start of the agent", i, rounds);
    agent.reset();
    SHUNT_ASSIGN_OR_RETURN(agent, AgentWatch::Start({"--manifests", manifests}));
    loads.push_back(agent->start_ns());
  }
  ShowProgress("start of the agent", rounds, rounds);
  Add(report, absl::StrCat("agent, ", Name(kBig), ": start to serving, wall clock"), loads, "ms");
  AddMemory(report, *agent);
  SHUNT_RETURN_IF_ERROR(MeasureScrapes(options, report));
  // The file of the first Services, then one of its own for the first.
  SHUNT_RETURN_IF_ERROR(MeasureFileChanges(*agent, manifests + "/services-0.yaml", kServicesPerFile,
                                           options, report));
  std::filesystem::remove(manifests + "/services-0.yaml");
  SHUNT_RETURN_IF_ERROR(agent->WaitUntilGone(0));
  return MeasureFileChanges(*agent, manifests + "/one.yaml", 1, options, report);
}

absl::Status MeasureAll(const BenchOptions& options, Report& report) {
  SHUNT_RETURN_IF_ERROR(MeasureFirstSync(kBig, options, report));
  SHUNT_RETURN_IF_ERROR(MeasureRestart(kBig, options, report));
  SHUNT_RETURN_IF_ERROR(MeasureChanges(options, report));
  return MeasureAgent(options, report);
}

}  // namespace
}  // namespace shunt::bench

int main(int argc, char** argv) {
  return shunt::bench::RunBenchmark(argc, argv, "bench_control_plane", shunt::bench::MeasureAll);
}
