// SPDX-License-Identifier: Apache-2.0
#include "userspace/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace shunt {
namespace {

// Fields of /proc/self/stat from the third on: those behind the program's name,
// which may hold blanks and brackets.
std::vector<std::string> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t end = line.rfind(')');
  if (end == std::string::npos) return {};
  return absl::StrSplit(line.substr(end + 1), ' ', absl::SkipEmpty());
}

double Field(const std::vector<std::string>& fields, size_t number) {  // as in proc(5)
  double value = 0;
  if (number - 3 < fields.size()) (void)absl::SimpleAtod(fields[number - 3], &value);
  return value;
}

double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    absl::string_view value = line;
    double seconds = 0;
    if (absl::ConsumePrefix(&value, "btime ") && absl::SimpleAtod(value, &seconds)) return seconds;
  }
  return 0;
}

double OpenFiles() {
  std::error_code error;
  const std::filesystem::directory_iterator fds("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(fds), end(fds)));
}

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return absl::ToDoubleSeconds(absl::DurationFromTimeval(usage.ru_utime) +
                               absl::DurationFromTimeval(usage.ru_stime));
}

void AddOne(prometheus::MetricFamily family, double value, MetricFamilies& families) {
  AddSeries(family, {}, value);
  families.push_back(std::move(family));
}

}  // namespace

MetricFamilies ProcessFamilies() {
  MetricFamilies families;
  const std::vector<std::string> stat = StatFields();
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  AddOne(CounterFamily("process_cpu_seconds_total",
                       "Total user and system CPU time spent in seconds."),
         CpuSeconds(), families);
  AddOne(GaugeFamily("process_resident_memory_bytes", "Resident memory size in bytes."),
         Field(stat, 24) * static_cast<double>(sysconf(_SC_PAGESIZE)), families);
  AddOne(GaugeFamily("process_virtual_memory_bytes", "Virtual memory size in bytes."),
         Field(stat, 23), families);
  AddOne(GaugeFamily("process_start_time_seconds",
                     "Start time of the process since unix epoch in seconds."),
         BootTime() + Field(stat, 22) / static_cast<double>(sysconf(_SC_CLK_TCK)), families);
  AddOne(GaugeFamily("process_open_fds", "Number of open file descriptors."), OpenFiles(),
         families);
  AddOne(GaugeFamily("process_max_fds", "Maximum number of open file descriptors."),
         static_cast<double>(files.rlim_cur), families);
  return families;
}

}  // namespace shunt
