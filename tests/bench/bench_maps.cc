// SPDX-License-Identifier: Apache-2.0
// What a choice about the maps costs the programs: elements of shunt_frontends
// allocated when needed, or all in advance.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "shunt/abi.h"
#include "shunt/config.h"
#include "tests/bench/benchmark.h"
#include "tests/bench/cluster.h"
#include "time_lookup.skel.h"
#include "userspace/base/status.h"
#include "userspace/state/datapath_state.h"

namespace shunt::bench {
namespace {

constexpr uint32_t kLookups = 20000;  // in one window

// As in time_lookup.bpf.c.
struct LookupArgs {
  uint32_t count, services, first, is_empty, random, found;
};

// A map of its own with frontends in it.
class Frontends {
 public:
  static absl::StatusOr<std::unique_ptr<Frontends>> Make(bool preallocated, uint32_t services);

  // 0 if the lookups are left out.
  double NsPerLookup(bool is_empty);

 private:
  struct Deleter {
    void operator()(shunt_time_lookup* skeleton) const { shunt_time_lookup::destroy(skeleton); }
  };
  Frontends(shunt_time_lookup* skeleton, uint32_t services)
      : skeleton_(skeleton), services_(services) {}
  absl::Status Fill();

  std::unique_ptr<shunt_time_lookup, Deleter> skeleton_;
  const uint32_t services_;
  uint32_t random_ = 1;
};

uint32_t FirstAddress() {
  const IpAddress::Bytes bytes = ServiceAddress(0).bytes();
  return uint32_t{bytes[12]} << 24 | bytes[13] << 16 | bytes[14] << 8 | bytes[15];
}

absl::StatusOr<std::unique_ptr<Frontends>> Frontends::Make(bool preallocated, uint32_t services) {
  std::unique_ptr<Frontends> result(new Frontends(shunt_time_lookup::open(), services));
  if (result->skeleton_ == nullptr) return ErrnoStatus("open of time_lookup.bpf.c");
  bpf_map* map = result->skeleton_->maps.shunt_frontends;
  const uint32_t flags = bpf_map__map_flags(map) & ~BPF_F_NO_PREALLOC;
  bpf_map__set_map_flags(map, preallocated ? flags : flags | BPF_F_NO_PREALLOC);
  if (const int error = shunt_time_lookup::load(result->skeleton_.get()); error < 0) {
    return ErrnoStatus("load of time_lookup.bpf.c", -error);
  }
  SHUNT_RETURN_IF_ERROR(result->Fill());
  return result;
}

absl::Status Frontends::Fill() {
  const int map = bpf_map__fd(skeleton_->maps.shunt_frontends);
  for (uint32_t i = 0; i < services_; ++i) {
    const shunt_frontend_key key =
        FrontendKey{.address = ServiceAddress(static_cast<int>(i)), .port = kServicePort}.ToAbi();
    const shunt_frontend value = {};
    if (bpf_map_update_elem(map, &key, &value, BPF_ANY) < 0) return ErrnoStatus("shunt_frontends");
  }
  return absl::OkStatus();
}

double Frontends::NsPerLookup(bool is_empty) {
  LookupArgs args = {.count = kLookups,
                     .services = services_,
                     .first = FirstAddress(),
                     .is_empty = is_empty,
                     .random = random_};
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &args, .ctx_size_in = sizeof(args));
  const double start = CpuNs();
  const int error =
      bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.shunt_time_lookup), &options);
  const double ns = CpuNs() - start;
  random_ = args.random;
  if (error < 0 || (!is_empty && args.found != kLookups)) {
    fprintf(stderr, "a lookup found nothing\n");
    abort();  // the map was filled by us
  }
  return ns / kLookups;
}

std::function<double()> LookUp(Frontends& map) {
  return [&map] { return map.NsPerLookup(false); };
}

// What maps show that were made anew: where their memory happens to lie counts
// for more than one would think.
struct Samples {
  std::vector<double> lookup, same, choice;
};

absl::Status AddSamples(const std::string& what, uint32_t services, Samples& samples) {
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<Frontends> on_demand, Frontends::Make(false, services));
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<Frontends> another, Frontends::Make(false, services));
  SHUNT_ASSIGN_OR_RETURN(std::unique_ptr<Frontends> in_advance, Frontends::Make(true, services));
  const auto loop = [&] { return on_demand->NsPerLookup(true); };
  const std::vector<Pairs> pairs = Interleave(what,
                                              {{"lookup", loop, LookUp(*on_demand)},
                                               {"same", LookUp(*on_demand), LookUp(*another)},
                                               {"choice", LookUp(*on_demand), LookUp(*in_advance)}},
                                              10);
  samples.lookup.push_back(pairs[0].Difference().value);
  samples.same.push_back(pairs[1].Difference().value);
  samples.choice.push_back(pairs[2].Difference().value);
  return absl::OkStatus();
}

absl::Status Compare(uint32_t services, const BenchOptions& options, Report& report) {
  const std::string what = absl::StrCat("lookup among ", services);
  Samples samples;
  for (int i = 0; i < (options.quick ? 2 : 15); ++i) {
    SHUNT_RETURN_IF_ERROR(AddSamples(what, services, samples));
  }
  report.Add({.metric = what, .estimate = EstimateMedian(samples.lookup), .unit = "ns"});
  report.Add({.metric = what + ": preallocated - not",
              .estimate = EstimateMedian(samples.choice),
              .unit = "ns",
              .no_difference = 0,
              .noise = NoiseFloor(EstimateMedian(samples.same), 0)});
  return absl::OkStatus();
}

absl::Status MeasureAll(const BenchOptions& options, Report& report) {
  SHUNT_RETURN_IF_ERROR(PinToLastCpu());
  for (uint32_t services : {1, 1000, 50000}) {
    SHUNT_RETURN_IF_ERROR(Compare(services, options, report));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace shunt::bench

int main(int argc, char** argv) {
  return shunt::bench::RunBenchmark(argc, argv, "bench_maps", shunt::bench::MeasureAll);
}
