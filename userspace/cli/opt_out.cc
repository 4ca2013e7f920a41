// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/cgroup.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/listing.h"
#include "userspace/datapath/opt_outs.h"

// Of all commands these alone change something, and they ask no agent: what opted
// out is kept in a pinned map, so that it outlives every agent.

namespace shunt {
namespace {

absl::Status RemoveThoseThatAreGone(const std::string& bpffs) {
  SHUNT_ASSIGN_OR_RETURN(const std::vector<uint64_t> ids, ReadOptOuts(bpffs));
  for (const uint64_t id : ids) {
    if (absl::IsNotFound(CgroupPath(id).status())) {
      SHUNT_RETURN_IF_ERROR(RemoveOptOut(bpffs, id));
    }
  }
  return absl::OkStatus();
}

Json OptOutJson(uint64_t id) {
  const absl::StatusOr<std::string> path = CgroupPath(id);
  return {{"id", id},
          {"cgroup", path.ok() ? Json(*path) : Json()},
          {"gone", absl::IsNotFound(path.status())}};
}

std::string CgroupCell(const Json& opt_out) {
  if (opt_out["gone"].get<bool>()) return "<gone>";
  return opt_out["cgroup"].is_null() ? "<unknown>" : TextAt(opt_out, "cgroup");
}

Listing OptOutListing(std::vector<uint64_t> ids) {
  return {.kind = "OptOut",
          .columns = {{"ID", [](const Json& opt_out) { return TextAt(opt_out, "id"); }},
                      {"CGROUP", CgroupCell}},
          .each = [ids = std::move(ids)](Listing::Sink sink) {
            for (const uint64_t id : ids) sink(OptOutJson(id));
          }};
}

}  // namespace

// Cgroups come and go, and nobody tells the map: it is tidied when it is full.
absl::Status AddOptOut(Session& session) {
  const Options& options = session.options();
  const absl::Status added = AddOptOut(options.bpffs, options.cgroup);
  if (!absl::IsResourceExhausted(added)) return added;
  SHUNT_RETURN_IF_ERROR(RemoveThoseThatAreGone(options.bpffs));
  return AddOptOut(options.bpffs, options.cgroup);
}

absl::Status RemoveOptOut(Session& session) {
  const Options& options = session.options();
  uint64_t id = 0;
  if (absl::SimpleAtoi(options.cgroup, &id)) return RemoveOptOut(options.bpffs, id);
  return RemoveOptOut(options.bpffs, options.cgroup);
}

absl::Status ListOptOuts(Session& session) {
  SHUNT_ASSIGN_OR_RETURN(std::vector<uint64_t> ids, ReadOptOuts(session.options().bpffs));
  if (ids.empty() && !session.options().machine_readable()) {
    session.err() << "No cgroup opted out.\n";
    return absl::OkStatus();
  }
  PrintListing(OptOutListing(std::move(ids)), session.options(), session.out());
  return absl::OkStatus();
}

}  // namespace shunt
