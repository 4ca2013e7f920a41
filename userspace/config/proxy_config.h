// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CONFIG_PROXY_CONFIG_H_
#define SHUNT_CONFIG_PROXY_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "userspace/config/config_field.h"
#include "userspace/model/object.h"

namespace shunt {

// A value of a field: a list has its elements, a map has "name=value".
struct ConfigValue {
  std::string text;
  std::vector<std::string> list;
  std::string origin;   // "FILE:LINE", "" where it is not from there
  bool is_set = false;  // by the file or a flag
};

// A KubeProxyConfiguration (v1alpha1), with kube-proxy's defaults, and a
// ShuntConfiguration. The functions take paths of their fields, of the type that
// the function's name says.
class ProxyConfig {
 public:
  ProxyConfig();

  const std::string& Text(std::string_view path) const { return At(path).text; }
  const std::vector<std::string>& List(std::string_view path) const { return At(path).list; }
  bool Bool(std::string_view path) const;
  int64_t Integer(std::string_view path) const;
  absl::Duration Duration(std::string_view path) const;
  const ConfigValue& At(std::string_view path) const;

  // As a file has it.
  void Set(const ConfigField& field, ConfigValue value);
  // As a flag has it: a list with commas, a zero that is a zero. The error says
  // what was expected.
  absl::Status SetFromFlag(const ConfigField& field, std::string_view text);

  // What follows from other fields: to be called once all are set.
  void CompleteDefaults();

  // syncPeriod of the section that `mode` makes count.
  absl::Duration SyncPeriod() const;
  // masqueradeAll, likewise; ipvs takes that of iptables.
  bool MasqueradeAll() const;

  // One of the two in JSON, as `kubectl get -o json` would print it, `indent` < 0:
  // on one line.
  std::string ToJson(const ConfigKind& kind, int indent) const;
  // Both in YAML, as a file has them.
  std::string ToYaml() const;

 private:
  absl::flat_hash_map<std::string_view, ConfigValue> values_;  // by path: all fields of both
};

// A duration as Go writes and reads it: "1h30m", "100ms".
bool ParseGoDuration(std::string_view text, absl::Duration& duration);

}  // namespace shunt

#endif  // SHUNT_CONFIG_PROXY_CONFIG_H_
