// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_BENCH_API_OBJECTS_H_
#define SHUNT_TESTS_BENCH_API_OBJECTS_H_

#include <cstdint>
#include <string>

#include "tests/bench/cluster.h"

namespace shunt::bench {

// The cluster of cluster.h as an API server sends it: frames of a watch in
// protobuf, with what a real server adds and nobody here reads (uids, target
// references, managed fields), so that they are as large as real ones.

// `version`: the object's resourceVersion. `type`: "ADDED", "MODIFIED".
std::string ServiceFrame(const ClusterShape& shape, int service, const std::string& type,
                         uint64_t version);
// With the first endpoint moved, as MoveEndpoint() says.
std::string SliceFrame(const ClusterShape& shape, int service, int move, const std::string& type,
                       uint64_t version);
// Of a Node named `name`, at 192.0.2.1.
std::string NodeFrame(const std::string& name, uint64_t version);
// `ends_list`: all that is there has been told.
std::string BookmarkFrame(const std::string& api_version, const std::string& kind, uint64_t version,
                          bool ends_list);

}  // namespace shunt::bench

#endif  // SHUNT_TESTS_BENCH_API_OBJECTS_H_
