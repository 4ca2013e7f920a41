// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/watch.h"

#include <utility>

namespace shunt {
namespace {

Json WithoutPassing(const Listing& listing, Json object) {
  for (const char* field : listing.passing) object.erase(field);
  return object;
}

bool IsNews(const Listing& listing, const Json& before, const Json& now) {
  if (listing.passing.empty()) return before != now;
  return WithoutPassing(listing, before) != WithoutPassing(listing, now);
}

}  // namespace

void WatchPrinter::Update(const Listing& listing) {
  if (std::exchange(first_, false)) PrintFirst(listing);
  absl::btree_map<std::string, Json> gone = std::move(seen_);
  seen_.clear();
  listing.each([&](const Json& object) {
    const std::string identity = listing.identity(object);
    const auto before = gone.find(identity);
    if (before == gone.end()) {
      Print(listing, "ADDED", object);
    } else {
      if (IsNews(listing, before->second, object)) Print(listing, "MODIFIED", object);
      gone.erase(before);
    }
    seen_.insert_or_assign(identity, object);
  });
  for (const auto& [identity, object] : gone) Print(listing, "DELETED", object);
  out_.flush();
}

// Aligned over all that is there at the start.
void WatchPrinter::PrintFirst(const Listing& listing) {
  if (options_.machine_readable()) return;
  const Table::Cells headers = WithEvent("EVENT", HeadersOf(listing, options_));
  if (!options_.no_headers) table_.Measure(headers);
  listing.each([&](const Json& object) {
    table_.Measure(WithEvent("ADDED", CellsOf(listing, options_, object)));
  });
  if (!options_.no_headers) table_.Print(headers, out_);
}

void WatchPrinter::Print(const Listing& listing, const char* event, const Json& object) {
  if (!options_.machine_readable()) {
    table_.Print(WithEvent(event, CellsOf(listing, options_, object)), out_);
    return;
  }
  if (options_.output == "yaml") out_ << "---\n";
  if (options_.watch_events) {
    PrintObject({{"type", event}, {"object", object}}, options_, out_);
  } else {
    PrintObject(object, options_, out_);
  }
}

Table::Cells WatchPrinter::WithEvent(const char* event, Table::Cells cells) const {
  if (options_.watch_events) cells.insert(cells.begin(), event);
  return cells;
}

}  // namespace shunt
