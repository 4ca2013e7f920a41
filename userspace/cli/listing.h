// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_LISTING_H_
#define SHUNT_CLI_LISTING_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "userspace/cli/json.h"
#include "userspace/cli/options.h"
#include "userspace/cli/table.h"

namespace shunt {

enum class Shown { kAlways, kNarrow, kWide, kAllNamespaces };

// One column of a table: its cell is made from the object that -o json prints,
// so that no form can say what another does not know.
struct Column {
  const char* header;
  std::string (*cell)(const Json& object);
  Shown shown = Shown::kAlways;
};

// What a `get` command shows: objects, and how a table shows them.
struct Listing {
  using Sink = absl::FunctionRef<void(const Json& object)>;

  const char* kind;  // of one object, "ServicePort"; all of them are a "ServicePortList"
  std::vector<Column> columns;
  // What makes an object the same one later. Null where none is watched.
  std::string (*identity)(const Json& object) = nullptr;
  // Fields that change by themselves, so that they are no news in a watch.
  std::vector<const char*> passing = {};
  // Makes the objects one after the other, in order: all at once would take
  // gigabytes where there are a million. May be called again.
  std::function<void(Sink sink)> each;
};

// The text of a string or number in `object`, "" where it is null or missing.
std::string TextAt(const Json& object, const char* field);

// One line of a table.
Table::Cells CellsOf(const Listing& listing, const Options& options, const Json& object);
Table::Cells HeadersOf(const Listing& listing, const Options& options);

// Prints all, in the form that `options` ask for.
void PrintListing(const Listing& listing, const Options& options, std::ostream& out);

// Prints one object as JSON or YAML.
void PrintObject(const Json& object, const Options& options, std::ostream& out);

}  // namespace shunt

#endif  // SHUNT_CLI_LISTING_H_
