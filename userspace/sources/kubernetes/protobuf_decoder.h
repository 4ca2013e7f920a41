// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_PROTOBUF_DECODER_H_
#define SHUNT_SOURCES_KUBERNETES_PROTOBUF_DECODER_H_

#include <memory>

#include "userspace/sources/kubernetes/api_decoder.h"
#include "userspace/sources/kubernetes/message_nodes.h"

namespace shunt {

// application/vnd.kubernetes.protobuf: what a real API server speaks.
class ProtobufDecoder : public ApiDecoder {
 public:
  explicit ProtobufDecoder(const Resource& resource);

  std::unique_ptr<Framer> NewFramer() const override { return std::make_unique<LengthFramer>(); }
  absl::StatusOr<WatchEvent> DecodeEvent(std::string_view frame) override;
  absl::StatusOr<ListMeta> DecodeList(std::string_view body, OnObject on_object) override;
  absl::StatusOr<ApiStatus> DecodeStatus(std::string_view body) override;

 private:
  absl::StatusOr<const YamlNode*> Parse(std::string_view serialized);

  const Resource& resource_;
  // Of the resource's kind. Used again and again: parsing into memory that is
  // there already is most of what makes it fast.
  std::unique_ptr<google::protobuf::Message> message_;
  MessageNodes nodes_;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_PROTOBUF_DECODER_H_
