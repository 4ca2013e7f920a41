// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/socket_iterator.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"
#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

constexpr size_t kReadBytes = 32 << 10;  // as much as the kernel gives at once

absl::StatusOr<bpf_link*> Attach(const bpf_program* program, const bpf_iter_attach_opts* options) {
  bpf_link* link = bpf_program__attach_iter(program, options);
  if (link == nullptr) return ErrnoStatus(absl::StrCat("attach ", bpf_program__name(program)));
  return link;
}

}  // namespace

absl::Status UsePinnedMaps(const PinDirectory& pins, bpf_object* object) {
  for (const char* name : {"shunt_socket", "shunt_backends"}) {
    SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, pins.Open(name));
    bpf_map* map = bpf_object__find_map_by_name(object, name);
    if (bpf_map__reuse_fd(map, fd.get()) < 0) return ErrnoStatus(absl::StrCat("use map ", name));
  }
  return absl::OkStatus();
}

absl::Status IteratorLoadStatus(int error, const std::string& log) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        "the kernel refuses to load the programs that walk sockets: run as root, or with CAP_BPF "
        "and CAP_PERFMON");
  }
  return ErrnoStatus(absl::StrCat("load of the programs that walk sockets failed; the kernel "
                                  "says:\n",
                                  log),
                     error);
}

absl::StatusOr<bpf_link*> MakeIterator(bpf_program* program) { return Attach(program, nullptr); }

absl::StatusOr<bpf_link*> MakeStorageIterator(bpf_program* program, const bpf_map* map) {
  bpf_iter_link_info info = {};
  info.map.map_fd = bpf_map__fd(map);
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
  return Attach(program, &options);
}

absl::StatusOr<std::vector<char>> RunIterator(const bpf_link* iterator) {
  const UniqueFd fd(bpf_iter_create(bpf_link__fd(iterator)));
  if (!fd.ok()) return ErrnoStatus("walk over sockets");
  std::vector<char> output;
  size_t length = 0;
  while (true) {
    output.resize(length + kReadBytes);
    const ssize_t got = read(fd.get(), output.data() + length, kReadBytes);
    if (got == 0) break;
    // EAGAIN: it has seen a million sockets without a word, and goes on.
    if (got < 0 && errno != EAGAIN && errno != EINTR) return ErrnoStatus("walk over sockets");
    if (got > 0) length += got;
  }
  output.resize(length);
  return output;
}

absl::StatusOr<uint32_t> IdOfPinnedMap(const PinDirectory& pins, std::string_view name) {
  SHUNT_ASSIGN_OR_RETURN(UniqueFd fd, pins.OpenReadOnly(name));
  bpf_map_info info = {};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &length) < 0) return ErrnoStatus("BPF map info");
  return info.id;
}

}  // namespace shunt
