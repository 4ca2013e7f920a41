// SPDX-License-Identifier: Apache-2.0
#include "tests/gate/figures.h"

#include <bpf/bpf.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/bench/cluster.h"
#include "tests/bench/control_plane.h"
#include "tests/gate/counting.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt::testing {
namespace {

using bench::ClusterShape;
using bench::ControlPlane;

constexpr ClusterShape kSmall = {.services = 100, .endpoints = 10};
constexpr ClusterShape kLarge = {.services = 10000, .endpoints = 10};
constexpr int kMoves = 100;

// What /proc says of an open map or program.
std::map<std::string, std::string> DescriptionOf(int fd) {
  std::ifstream file(absl::StrCat("/proc/self/fdinfo/", fd));
  std::map<std::string, std::string> result;
  for (std::string name, value; file >> name >> value;) {
    result.emplace(absl::StripSuffix(Absl(name), ":"), value);
  }
  return result;
}

void AddPin(const std::string& name, const std::map<std::string, std::string>& description,
            Figures& figures) {
  const auto add = [&](const std::string& counted, const std::string& field) {
    double value = 0;
    if (const auto found = description.find(field);
        found != description.end() && absl::SimpleAtod(Absl(found->second), &value)) {
      figures[counted][name] = value;
    }
  };
  if (description.contains("map_type")) add("bytes of kernel memory", "memlock");
  if (description.contains("prog_type")) add("verified instructions", "verified_insns");
}

// Runs `work`, and notes what it did for each of `count` things.
template <typename Function>
absl::Status Count(const std::string& what, int count, Function&& work, Figures& figures) {
  const Work before = WorkSoFar();
  SHUNT_ASSIGN_OR_RETURN(const size_t writes, work());
  const Work after = WorkSoFar();
  const auto each = [&](uint64_t total) { return static_cast<double>(total) / count; };
  figures["allocations"][what] = each(after.allocations - before.allocations);
  figures["system calls"][what] = each(after.system_calls - before.system_calls);
  figures["map writes"][what] = each(writes);
  return absl::OkStatus();
}

absl::StatusOr<size_t> MoveEndpoints(ControlPlane& control, const ClusterShape& shape) {
  size_t writes = 0;
  for (int i = 0; i < kMoves; ++i) {
    ClusterChanges change;
    change.services.emplace(bench::ServiceName(i), bench::MoveEndpoint(shape, i, 1));
    SHUNT_ASSIGN_OR_RETURN(const ControlPlane::Timings timings, control.Update(change));
    writes += timings.writes;
  }
  return writes;
}

absl::Status AddCluster(const ClusterShape& shape, Figures& figures) {
  const std::string among = absl::StrCat(shape.services, " Services of ", shape.endpoints);
  const ClusterSnapshot cluster = bench::MakeCluster(shape);
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<ControlPlane> control, ControlPlane::Make());
  SHUNT_RETURN_IF_ERROR(Count(
      absl::StrCat("first sync of ", among, ", for each endpoint"),
      shape.services * shape.endpoints,
      [&]() -> absl::StatusOr<size_t> {
        SHUNT_ASSIGN_OR_RETURN(const ControlPlane::Timings timings, control->Update(cluster));
        return timings.writes;
      },
      figures));
  return Count(
      absl::StrCat("one endpoint moves among ", among), kMoves,
      [&] { return MoveEndpoints(*control, shape); }, figures);
}

}  // namespace

absl::StatusOr<Figures> FiguresOfPins(const std::string& directory) {
  Figures figures;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.is_directory()) continue;
    const UniqueFd fd(bpf_obj_get(entry.path().c_str()));
    if (!fd.ok()) return ErrnoStatus(entry.path().string());
    AddPin(entry.path().filename(), DescriptionOf(fd.get()), figures);
  }
  return figures;
}

absl::StatusOr<Figures> FiguresOfUpdates() {
  Figures figures;
  SHUNT_RETURN_IF_ERROR(AddCluster(kSmall, figures));
  SHUNT_RETURN_IF_ERROR(AddCluster(kLarge, figures));
  return figures;
}

}  // namespace shunt::testing
