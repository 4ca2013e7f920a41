// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/get.h"

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/cli/watch.h"

namespace shunt {
namespace {

constexpr absl::Duration kLookAgain = absl::Seconds(1);

bool IsEmpty(const Listing& listing) {
  bool empty = true;
  listing.each([&](const Json&) { empty = false; });
  return empty;
}

absl::Status NotThere(const char* what, const ServiceFilter& filter) {
  std::string text = absl::StrCat(what, " ", Quoted(filter.name), " not found");
  if (!filter.name_space.empty())
    absl::StrAppend(&text, " in namespace ", Quoted(filter.name_space));
  return absl::NotFoundError(text);
}

void SayThereIsNothing(Session& session, const ServiceFilter& filter) {
  if (filter.name_space.empty()) {
    session.err() << "No resources found.\n";
  } else {
    session.err() << "No resources found in namespace " << Quoted(filter.name_space)
                  << " (-A shows those of all).\n";
  }
}

// `filter` tells what was asked for.
absl::Status PrintOnce(Session& session, const char* what, const ServiceFilter& filter,
                       const Listing& listing) {
  const Options& options = session.options();
  if (IsEmpty(listing)) {
    if (!filter.name.empty()) return NotThere(what, filter);
    if (!options.machine_readable()) {
      SayThereIsNothing(session, filter);
      return absl::OkStatus();
    }
  }
  PrintListing(listing, options, session.out());
  return absl::OkStatus();
}

absl::Status Poll(Session& session, const char* what, const ServiceFilter& filter,
                  absl::FunctionRef<absl::StatusOr<Listing>(Source& source)> make) {
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  WatchPrinter printer(session.options(), session.out());
  while (true) {
    SHUNT_ASSIGN_OR_RETURN(const Listing listing, make(*source));
    if (!session.options().watch) return PrintOnce(session, what, filter, listing);
    printer.Update(listing);
    if (!session.out().good()) return absl::OkStatus();
    absl::SleepFor(kLookAgain);
  }
}

}  // namespace

absl::Status GetFromState(Session& session, const char* what,
                          Listing (*make)(const DatapathState& state)) {
  SHUNT_ASSIGN_OR_RETURN(Source * source, session.source());
  const ServiceFilter filter = session.options().Filter();
  if (!session.options().watch) {
    SHUNT_ASSIGN_OR_RETURN(const DatapathState state, source->State(filter));
    return PrintOnce(session, what, filter, make(state));
  }
  WatchPrinter printer(session.options(), session.out());
  return source->WatchState(filter, [&](const DatapathState& state) {
    printer.Update(make(state));
    return session.out().good();  // false: the reader of a pipe has gone
  });
}

absl::Status GetByPolling(Session& session, const char* what,
                          absl::StatusOr<Listing> (*make)(Source& source,
                                                          const std::string& name)) {
  const ServiceFilter filter = {.name = session.options().name};
  return Poll(session, what, filter, [&](Source& source) { return make(source, filter.name); });
}

absl::Status GetOfServices(Session& session, const char* what,
                           absl::StatusOr<Listing> (*make)(Source& source,
                                                           const Options& options)) {
  const Options& options = session.options();
  return Poll(session, what, options.Filter(),
              [&](Source& source) { return make(source, options); });
}

}  // namespace shunt
