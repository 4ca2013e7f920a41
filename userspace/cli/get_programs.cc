// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/get.h"
#include "userspace/cli/program_json.h"

namespace shunt {
namespace {

// Nothing was counted where there were no runs: then there is no time, either.
std::string TimeOfRunCell(const Json& program) {
  const auto runs = program["runCount"].get<uint64_t>();
  return runs == 0 ? "" : absl::StrCat(program["runTimeNs"].get<uint64_t>() / runs);
}

absl::StatusOr<Listing> ProgramListing(Source& source, const std::string& name) {
  SHUNT_ASSIGN_OR_RETURN(std::vector<ProgramInfo> programs, source.Programs());
  return Listing{
      .kind = "Program",
      .columns =
          {
              {"NAME", [](const Json& program) { return TextAt(program, "name"); }},
              {"HOOK", [](const Json& program) { return TextAt(program, "hook"); }},
              {"TAG", [](const Json& program) { return TextAt(program, "tag"); }},
              {"VERIFIED",
               [](const Json& program) { return TextAt(program, "verifiedInstructions"); }},
              {"RUNS", [](const Json& program) { return TextAt(program, "runCount"); }},
              {"NS/RUN", TimeOfRunCell},
              {"PIN", [](const Json& program) { return TextAt(program, "pin"); }, Shown::kWide},
          },
      .identity = [](const Json& program) { return TextAt(program, "name"); },
      .each =
          [programs = std::move(programs), name](Listing::Sink sink) {
            for (const ProgramInfo& program : programs) {
              if (name.empty() || name == program.name) sink(ProgramJson(program));
            }
          },
  };
}

}  // namespace

absl::Status GetPrograms(Session& session) {
  return GetByPolling(session, "program", ProgramListing);
}

}  // namespace shunt
