// SPDX-License-Identifier: Apache-2.0
#include "userspace/config/proxy_config.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/ip_address.h"
#include "userspace/base/quote.h"

namespace shunt {
namespace {

std::vector<std::string> SplitList(std::string_view text) {
  return absl::StrSplit(Absl(text), ',', absl::SkipWhitespace());
}

bool IsList(ConfigType type) {
  return type == ConfigType::kList || type == ConfigType::kGates || type == ConfigType::kVModule;
}

// What Go's strconv.ParseBool makes of it; else as it is.
std::string BoolOfFlag(const std::string& text) {
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return "true";
  }
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return "false";
  }
  return text;
}

// Null where `text` is a value of that type, else what is expected.
const char* ExpectationOf(ConfigType type, const std::string& text) {
  absl::Duration duration;
  int64_t integer = 0;
  double number = 0;
  switch (type) {
    case ConfigType::kBool:
      return text == "true" || text == "false" ? nullptr : "true or false";
    case ConfigType::kInteger:
      return absl::SimpleAtoi(text, &integer) ? nullptr : "a whole number";
    case ConfigType::kNumber:
      return absl::SimpleAtod(text, &number) ? nullptr : "a number";
    case ConfigType::kDuration:
    case ConfigType::kNanoseconds:
      return ParseGoDuration(text, duration) ? nullptr : "a duration, such as 30s or 1h30m";
    case ConfigType::kText:
    case ConfigType::kQuantity:
    case ConfigType::kList:
    case ConfigType::kGates:
    case ConfigType::kVModule:
      return nullptr;
  }
  return nullptr;
}

// 0, "", false or "0s", however written.
bool IsZero(const ConfigField& field, const ConfigValue& value) {
  if (IsList(field.type)) return value.list.empty();
  absl::Duration duration;
  double number = 0;
  if (ParseGoDuration(value.text, duration)) return duration == absl::ZeroDuration();
  if (absl::SimpleAtod(value.text, &number)) return number == 0;
  return value.text.empty() || value.text == "false";
}

ConfigValue DefaultOf(const ConfigField& field) {
  ConfigValue value;
  if (IsList(field.type)) {
    value.list = SplitList(field.default_text);
  } else {
    value.text = field.default_text;
  }
  return value;
}

// An address without a port gets `port`, none at all becomes `standard`; but one
// that a flag made empty means that nobody listens.
void CompleteAddress(ConfigValue& value, const char* standard, uint16_t port) {
  if (value.text.empty() && value.is_set && value.origin.empty()) return;
  if (value.text.empty()) value.text = standard;
  const absl::StatusOr<IpAddress> ip = IpAddress::Parse(value.text);
  if (ip.ok()) value.text = AddressAndPort(*ip, port);
}

constexpr uint16_t kHealthzPort = 10256;
constexpr uint16_t kMetricsPort = 10249;

}  // namespace

bool ParseGoDuration(std::string_view text, absl::Duration& duration) {
  // Go's sign for micro comes as either of two characters; inf is Abseil's own.
  const std::string ascii = absl::StrReplaceAll(Absl(text), {{"\u00b5s", "us"}, {"\u03bcs", "us"}});
  return ascii.find("inf") == std::string::npos && absl::ParseDuration(ascii, &duration);
}

ProxyConfig::ProxyConfig() {
  for (const ConfigKind* kind : {&KubeProxyKind(), &ShuntKind()}) {
    for (const ConfigField& field : kind->fields) values_[field.path] = DefaultOf(field);
  }
}

const ConfigValue& ProxyConfig::At(std::string_view path) const { return values_.at(path); }

bool ProxyConfig::Bool(std::string_view path) const { return Text(path) == "true"; }

int64_t ProxyConfig::Integer(std::string_view path) const {
  int64_t value = 0;
  (void)absl::SimpleAtoi(Text(path), &value);
  return value;
}

absl::Duration ProxyConfig::Duration(std::string_view path) const {
  absl::Duration value;
  (void)ParseGoDuration(Text(path), value);
  return value;
}

void ProxyConfig::Set(const ConfigField& field, ConfigValue value) {
  value.is_set = true;
  if (field.zero_is_default && IsZero(field, value)) {
    ConfigValue standard = DefaultOf(field);
    standard.origin = std::move(value.origin);
    value = std::move(standard);
  }
  values_[field.path] = std::move(value);
}

absl::Status ProxyConfig::SetFromFlag(const ConfigField& field, std::string_view text) {
  ConfigValue value = {.is_set = true};
  if (IsList(field.type)) {
    value.list = SplitList(text);
  } else {
    value.text = text;
  }
  if (field.type == ConfigType::kBool) value.text = BoolOfFlag(value.text);
  if (const char* expected = ExpectationOf(field.type, value.text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", Absl(field.flag), ": ", Quoted(text), " is not ", expected));
  }
  values_[field.path] = std::move(value);
  return absl::OkStatus();
}

void ProxyConfig::CompleteDefaults() {
  const absl::StatusOr<IpAddress> bind = IpAddress::Parse(Text("bindAddress"));
  const bool ipv6 = bind.ok() && bind->family() == Family::kIpv6;
  CompleteAddress(values_["healthzBindAddress"], ipv6 ? "::" : "0.0.0.0", kHealthzPort);
  CompleteAddress(values_["metricsBindAddress"], ipv6 ? "::1" : "127.0.0.1", kMetricsPort);
}

absl::Duration ProxyConfig::SyncPeriod() const {
  const std::string& mode = Text("mode");
  if (mode == "nftables") return Duration("nftables.syncPeriod");
  if (mode == "ipvs") return Duration("ipvs.syncPeriod");
  return Duration("iptables.syncPeriod");
}

bool ProxyConfig::MasqueradeAll() const {
  return Bool(Text("mode") == "nftables" ? "nftables.masqueradeAll" : "iptables.masqueradeAll");
}

}  // namespace shunt
