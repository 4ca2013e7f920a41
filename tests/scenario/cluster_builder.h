// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_SCENARIO_CLUSTER_BUILDER_H_
#define SHUNT_TESTS_SCENARIO_CLUSTER_BUILDER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/scenario/words.h"
#include "userspace/model/cluster.h"

namespace shunt::testing {

// A cluster that is described line by line, and may change.
class ClusterBuilder {
 public:
  // Takes over one line: service, endpoint, node or remove.
  absl::Status Add(const std::vector<std::string>& words);

  ClusterSnapshot Build() const;
  const std::string& node_name() const { return node_name_; }
  const std::vector<IpAddress>& node_port_addresses() const { return node_port_addresses_; }

 private:
  struct EndpointLine {
    Endpoint endpoint;
    std::vector<PortWord> ports;
    std::string slice;  // "" where the line names none
  };

  absl::Status AddService(const std::vector<std::string>& words);
  absl::Status AddEndpoint(const std::vector<std::string>& words);
  absl::Status AddNode(const std::vector<std::string>& words);
  absl::Status Remove(const std::vector<std::string>& words);
  std::vector<std::shared_ptr<const EndpointSlice>> SlicesOf(const NamespacedName& service) const;

  std::string node_name_ = "node-a";
  std::shared_ptr<const Node> node_;
  std::vector<IpAddress> node_port_addresses_;
  std::map<NamespacedName, std::shared_ptr<const Service>> services_;
  std::map<NamespacedName, std::vector<EndpointLine>> endpoints_;
};

}  // namespace shunt::testing

#endif  // SHUNT_TESTS_SCENARIO_CLUSTER_BUILDER_H_
