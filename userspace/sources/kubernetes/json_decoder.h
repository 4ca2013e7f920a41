// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_JSON_DECODER_H_
#define SHUNT_SOURCES_KUBERNETES_JSON_DECODER_H_

#include <memory>

#include "userspace/sources/kubernetes/api_decoder.h"

namespace shunt {

// application/json, for a server that has nothing better. It is read by the same
// parser as manifests.
class JsonDecoder : public ApiDecoder {
 public:
  explicit JsonDecoder(const Resource& resource) : resource_(resource) {}

  std::unique_ptr<Framer> NewFramer() const override { return std::make_unique<JsonFramer>(); }
  absl::StatusOr<WatchEvent> DecodeEvent(std::string_view frame) override;
  absl::StatusOr<ListMeta> DecodeList(std::string_view body, OnObject on_object) override;
  absl::StatusOr<ApiStatus> DecodeStatus(std::string_view body) override;

 private:
  absl::StatusOr<WatchEvent> ReadEvent(const YamlNode& root) const;

  const Resource& resource_;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_JSON_DECODER_H_
