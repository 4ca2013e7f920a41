// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/listing.h"

#include <yaml-cpp/yaml.h>

#include "absl/strings/str_replace.h"
#include "userspace/cli/yaml.h"

namespace shunt {
namespace {

constexpr int kIndent = 4;  // as kubectl

// Valid whatever the strings hold; escaped, so that it drives no terminal.
std::string JsonText(const Json& value) {
  return value.dump(kIndent, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

bool IsShown(const Column& column, const Options& options) {
  switch (column.shown) {
    case Shown::kAlways:
      return true;
    case Shown::kNarrow:
      return !options.wide();
    case Shown::kWide:
      return options.wide();
    case Shown::kAllNamespaces:
      return options.all_namespaces;
  }
  return true;
}

void PrintTable(const Listing& listing, const Options& options, std::ostream& out) {
  Table table;
  const Table::Cells headers = HeadersOf(listing, options);
  if (!options.no_headers) table.Measure(headers);
  listing.each([&](const Json& object) { table.Measure(CellsOf(listing, options, object)); });
  if (!options.no_headers) table.Print(headers, out);
  listing.each([&](const Json& object) { table.Print(CellsOf(listing, options, object), out); });
}

void PrintJsonList(const Listing& listing, std::ostream& out) {
  const char* separator = "\n        ";
  out << "{\n    \"apiVersion\": \"" << kApiVersion << "\",\n    \"kind\": \"" << listing.kind
      << "List\",\n    \"items\": [";
  bool empty = true;
  listing.each([&](const Json& object) {
    // Line feeds within strings are escaped: these are all between lines.
    out << separator << absl::StrReplaceAll(JsonText(object), {{"\n", "\n        "}});
    separator = ",\n        ";
    empty = false;
  });
  out << (empty ? "]\n}\n" : "\n    ]\n}\n");
}

void PrintYamlList(const Listing& listing, std::ostream& out) {
  YAML::Emitter emitter(out);
  emitter << YAML::BeginMap << YAML::Key << "apiVersion" << YAML::Value << kApiVersion;
  emitter << YAML::Key << "kind" << YAML::Value << std::string(listing.kind) + "List";
  emitter << YAML::Key << "items" << YAML::Value;
  bool empty = true;
  listing.each([&](const Json& object) {
    if (empty) emitter << YAML::BeginSeq;
    empty = false;
    EmitYaml(object, emitter);
  });
  if (empty) emitter << YAML::Flow << YAML::BeginSeq;
  emitter << YAML::EndSeq << YAML::EndMap;
  out << '\n';
}

}  // namespace

std::string TextAt(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

Table::Cells CellsOf(const Listing& listing, const Options& options, const Json& object) {
  Table::Cells cells;
  for (const Column& column : listing.columns) {
    if (IsShown(column, options)) cells.push_back(column.cell(object));
  }
  return cells;
}

Table::Cells HeadersOf(const Listing& listing, const Options& options) {
  Table::Cells headers;
  for (const Column& column : listing.columns) {
    if (IsShown(column, options)) headers.push_back(column.header);
  }
  return headers;
}

void PrintListing(const Listing& listing, const Options& options, std::ostream& out) {
  if (options.output == "json") {
    PrintJsonList(listing, out);
  } else if (options.output == "yaml") {
    PrintYamlList(listing, out);
  } else {
    PrintTable(listing, options, out);
  }
}

void PrintObject(const Json& object, const Options& options, std::ostream& out) {
  if (options.output == "json") {
    out << JsonText(object) << '\n';
    return;
  }
  YAML::Emitter emitter(out);
  EmitYaml(object, emitter);
  out << '\n';
}

}  // namespace shunt
