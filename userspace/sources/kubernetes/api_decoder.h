// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_API_DECODER_H_
#define SHUNT_SOURCES_KUBERNETES_API_DECODER_H_

#include <memory>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "userspace/sources/kubernetes/api_object.h"
#include "userspace/sources/kubernetes/framer.h"

namespace shunt {

// Reads what the server says of one resource, in one of the two formats that it
// speaks. Belongs to one thread.
class ApiDecoder {
 public:
  using OnObject = absl::FunctionRef<void(ApiObject object)>;

  // Whichever the server chose; an error for what is neither (a proxy's login
  // page). `resource` outlives the decoder.
  static absl::StatusOr<std::unique_ptr<ApiDecoder>> For(std::string_view content_type,
                                                         const Resource& resource);
  virtual ~ApiDecoder() = default;

  // Of a watch.
  virtual std::unique_ptr<Framer> NewFramer() const = 0;
  virtual absl::StatusOr<WatchEvent> DecodeEvent(std::string_view frame) = 0;
  // Object by object: the whole list is never there as objects of the API.
  virtual absl::StatusOr<ListMeta> DecodeList(std::string_view body, OnObject on_object) = 0;
  // The body of an answer that is an error.
  virtual absl::StatusOr<ApiStatus> DecodeStatus(std::string_view body) = 0;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_API_DECODER_H_
