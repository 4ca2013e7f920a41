// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "userspace/base/status.h"
#include "userspace/cli/command.h"
#include "userspace/cli/get.h"

namespace shunt {
namespace {

Json MapJson(const MapInfo& map) {
  return {{"name", map.name},
          {"type", map.type},
          {"pin", map.pin},
          {"keySize", map.key_size},
          {"valueSize", map.value_size},
          {"entries", map.entries.has_value() ? Json(*map.entries) : Json()},
          {"maxEntries", map.max_entries == 0 ? Json() : Json(map.max_entries)},
          {"memoryBytes", map.memory_bytes}};
}

std::string UsedCell(const Json& map) {
  if (map["entries"].is_null() || map["maxEntries"].is_null()) return "";
  const double used = 100.0 * map["entries"].get<uint64_t>() / map["maxEntries"].get<uint64_t>();
  return absl::StrFormat("%.1f%%", used);
}

std::string MemoryCell(const Json& map) {
  const double bytes = map["memoryBytes"].get<double>();
  if (bytes >= 1 << 20) return absl::StrFormat("%.1fMi", bytes / (1 << 20));
  return bytes >= 1 << 10 ? absl::StrFormat("%.1fKi", bytes / (1 << 10))
                          : absl::StrCat(map["memoryBytes"].get<uint64_t>());
}

absl::StatusOr<Listing> MapListing(Source& source, const std::string& name) {
  SHUNT_ASSIGN_OR_RETURN(std::vector<MapInfo> maps, source.Maps());
  return Listing{
      .kind = "Map",
      .columns =
          {
              {"NAME", [](const Json& map) { return TextAt(map, "name"); }},
              {"TYPE", [](const Json& map) { return TextAt(map, "type"); }},
              {"KEY", [](const Json& map) { return TextAt(map, "keySize"); }},
              {"VALUE", [](const Json& map) { return TextAt(map, "valueSize"); }},
              {"ENTRIES", [](const Json& map) { return TextAt(map, "entries"); }},
              {"MAX", [](const Json& map) { return TextAt(map, "maxEntries"); }},
              {"USED", UsedCell},
              {"MEMORY", MemoryCell},
              {"PIN", [](const Json& map) { return TextAt(map, "pin"); }, Shown::kWide},
          },
      .identity = [](const Json& map) { return TextAt(map, "name"); },
      .each =
          [maps = std::move(maps), name](Listing::Sink sink) {
            for (const MapInfo& map : maps) {
              if (name.empty() || name == map.name) sink(MapJson(map));
            }
          },
  };
}

}  // namespace

absl::Status GetMaps(Session& session) { return GetByPolling(session, "map", MapListing); }

}  // namespace shunt
