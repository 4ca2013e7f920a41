// SPDX-License-Identifier: Apache-2.0
// Figures that a busy machine does not change, compared with those that were
// recorded: whoever makes them worse has to say so. README.md has the rest.
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/gate/figures.h"
#include "tests/support/datapath_test.h"

namespace shunt::testing {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kHowToRecord[] =
    "; if that is meant, SHUNT_RECORD_BASELINE=1 build/release/bin/bpf_gate records what is";

Json ReadBaseline() { return Json::parse(std::ifstream(SHUNT_BASELINE)); }

// On which verifiers count alike, and maps have as many parts.
std::string Machine() {
  utsname name;
  uname(&name);
  const std::string release = name.release;
  return absl::StrCat("Linux ", release.substr(0, release.find('.', release.find('.') + 1)), ", ",
                      libbpf_num_possible_cpus(), " CPUs");
}

bool IsRecording() { return std::getenv("SHUNT_RECORD_BASELINE") != nullptr; }

void Record(const Figures& figures) {
  Json baseline = ReadBaseline();
  baseline["machine"] = Machine();
  for (const auto& [counted, values] : figures) baseline["counts"][counted]["recorded"] = values;
  std::ofstream(SHUNT_BASELINE) << baseline.dump(2) << "\n";
}

void CompareValues(const std::string& counted, const std::map<std::string, double>& values,
                   const Json& count) {
  const Json& recorded = count.at("recorded");
  const double may_grow = count.at("mayGrow");
  for (const auto& [name, value] : values) {
    if (!recorded.contains(name)) {
      ADD_FAILURE() << name << ": its " << counted << " (" << value << ") are not recorded"
                    << kHowToRecord;
      continue;
    }
    const double before = recorded[name];
    EXPECT_LE(value, before * (1 + may_grow)) << name << ": its " << counted << " grew from "
                                              << before << " to " << value << kHowToRecord;
    if (value < before * (1 - may_grow)) {
      std::printf("%s: its %s fell from %g to %g: worth recording\n", name.c_str(), counted.c_str(),
                  before, value);
    }
  }
}

void Compare(const Figures& figures) {
  if (IsRecording()) return Record(figures);
  const Json baseline = ReadBaseline();
  for (const auto& [counted, values] : figures) {
    const Json& count = baseline.at("counts").at(counted);
    if (count.at("ofThatMachine") && baseline["machine"] != Machine()) {
      std::printf("%s: recorded on %s, and this is %s: not compared\n", counted.c_str(),
                  baseline["machine"].get<std::string>().c_str(), Machine().c_str());
      continue;
    }
    CompareValues(counted, values, count);
  }
}

class Gate : public DatapathTest {
 protected:
  bool packets() const override { return true; }
};

TEST_F(Gate, ProgramsAndMapsAreNotLargerThanRecorded) {
  Apply(DatapathState());
  const absl::StatusOr<Figures> figures = FiguresOfPins(bpffs());
  ASSERT_TRUE(figures.ok()) << figures.status();
  Compare(*figures);
}

TEST_F(Gate, AnUpdateDoesNotMoreThanRecorded) {
  const absl::StatusOr<Figures> figures = FiguresOfUpdates();
  ASSERT_TRUE(figures.ok()) << figures.status();
  Compare(*figures);
}

}  // namespace
}  // namespace shunt::testing
