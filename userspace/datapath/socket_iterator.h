// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SOCKET_ITERATOR_H_
#define SHUNT_DATAPATH_SOCKET_ITERATOR_H_

#include <bpf/libbpf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "userspace/datapath/pins.h"

namespace shunt {

// What the objects `sockets` and `reap` have in common: programs that walk
// sockets, on the maps that the hooks fill.

// To be called before the object is loaded.
absl::Status UsePinnedMaps(const PinDirectory& pins, bpf_object* object);

// Why an object with iterators could not be loaded. PermissionDenied names the
// capabilities.
absl::Status IteratorLoadStatus(int error, const std::string& log);

// A program that walks the sockets of the network namespace of who runs it.
absl::StatusOr<bpf_link*> MakeIterator(bpf_program* program);
// One that walks the sockets that have a record in `map`, in all namespaces.
absl::StatusOr<bpf_link*> MakeStorageIterator(bpf_program* program, const bpf_map* map);

// Walks once; returns what the program wrote.
absl::StatusOr<std::vector<char>> RunIterator(const bpf_link* iterator);

// The kernel's number of a pinned map: another one where it was replaced.
absl::StatusOr<uint32_t> IdOfPinnedMap(const PinDirectory& pins, std::string_view name);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SOCKET_ITERATOR_H_
