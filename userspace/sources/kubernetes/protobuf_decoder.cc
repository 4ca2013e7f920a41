// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/protobuf_decoder.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/envelope.h"
#include "userspace/sources/kubernetes/node_reading.h"
#include "userspace/sources/kubernetes/proto/kubernetes.pb.h"

namespace shunt {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

std::unique_ptr<google::protobuf::Message> NewMessage(Kind kind) {
  switch (kind) {
    case Kind::kService:
      return std::make_unique<kubernetes::Service>();
    case Kind::kEndpointSlice:
      return std::make_unique<kubernetes::EndpointSlice>();
    case Kind::kNode:
      return std::make_unique<kubernetes::Node>();
  }
  return nullptr;
}

bool IsOf(const Envelope& envelope, const Resource& resource, std::string_view suffix) {
  return envelope.api_version == resource.api_version &&
         envelope.kind == absl::StrCat(Absl(KindName(resource.kind)), Absl(suffix));
}

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError(absl::StrCat(Absl(what), " that cannot be read"));
}

// The fields of every kind of list: metadata is 1, an item is 2.
class ListFields {
 public:
  explicit ListFields(std::string_view list)
      : input_(reinterpret_cast<const uint8_t*>(list.data()), static_cast<int>(list.size())) {}

  // 0 at the end, or where it cannot be read.
  int Next(std::string& value) {
    while (const uint32_t tag = input_.ReadTag()) {
      const int number = WireFormatLite::GetTagFieldNumber(tag);
      if (tag == kMetadata || tag == kItem) return Read(value) ? number : 0;
      if (!WireFormatLite::SkipField(&input_, tag)) return 0;
    }
    complete_ = input_.ConsumedEntireMessage();
    return 0;
  }
  bool complete() const { return complete_; }

 private:
  static constexpr uint32_t kMetadata = 1 << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
  static constexpr uint32_t kItem = 2 << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;

  bool Read(std::string& value) {
    uint32_t size = 0;
    return input_.ReadVarint32(&size) && input_.ReadString(&value, static_cast<int>(size));
  }

  CodedInputStream input_;
  bool complete_ = false;
};

}  // namespace

ProtobufDecoder::ProtobufDecoder(const Resource& resource)
    : resource_(resource), message_(NewMessage(resource.kind)) {}

absl::StatusOr<const YamlNode*> ProtobufDecoder::Parse(std::string_view serialized) {
  if (!message_->ParseFromArray(serialized.data(), static_cast<int>(serialized.size()))) {
    return Unreadable(absl::StrCat("a ", Absl(KindName(resource_.kind))));
  }
  return &nodes_.Build(*message_);
}

absl::StatusOr<WatchEvent> ProtobufDecoder::DecodeEvent(std::string_view frame) {
  kubernetes::WatchEvent message;
  if (!message.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) {
    return Unreadable("an event");
  }
  WatchEvent event;
  SHUNT_ASSIGN_OR_RETURN(event.type, ReadEventType(message.type()));
  if (event.type == WatchEvent::Type::kError) {
    SHUNT_ASSIGN_OR_RETURN(event.status, DecodeStatus(message.object().raw()));
    return event;
  }
  SHUNT_ASSIGN_OR_RETURN(const Envelope envelope, OpenEnvelope(message.object().raw()));
  if (!IsOf(envelope, resource_, "")) {
    event.object = OfAnotherKind(envelope.api_version, envelope.kind, resource_);
    return event;
  }
  SHUNT_ASSIGN_OR_RETURN(const YamlNode* node, Parse(envelope.message));
  if (event.type == WatchEvent::Type::kBookmark) {
    event.object.resource_version = TextAt(*node, {"metadata", "resourceVersion"});
    event.ends_initial_events = EndsInitialEvents(*node);
  } else {
    event.object = ReadObject(*node, resource_.kind);
  }
  return event;
}

absl::StatusOr<ListMeta> ProtobufDecoder::DecodeList(std::string_view body, OnObject on_object) {
  SHUNT_ASSIGN_OR_RETURN(const Envelope envelope, OpenEnvelope(body));
  if (!IsOf(envelope, resource_, "List")) {
    return absl::DataLossError(absl::StrCat(
        "a list of ", Quoted(envelope.api_version), " ", Quoted(envelope.kind), ", expected ",
        Absl(resource_.api_version), " ", Absl(KindName(resource_.kind)), "List"));
  }
  ListMeta meta;
  ListFields fields(envelope.message);
  std::string value;
  while (const int field = fields.Next(value)) {
    if (field == 1) {
      kubernetes::ListMeta message;
      if (!message.ParseFromString(value)) return Unreadable("a list's metadata");
      meta = {.resource_version = message.resourceversion(), .continue_token = message.continue_()};
    } else {
      SHUNT_ASSIGN_OR_RETURN(const YamlNode* node, Parse(value));
      on_object(ReadObject(*node, resource_.kind));
    }
  }
  if (!fields.complete()) return Unreadable("a list");
  return meta;
}

absl::StatusOr<ApiStatus> ProtobufDecoder::DecodeStatus(std::string_view body) {
  SHUNT_ASSIGN_OR_RETURN(const Envelope envelope, OpenEnvelope(body));
  if (envelope.kind != "Status") {
    return absl::DataLossError(
        absl::StrCat("an error that is no Status but a ", Quoted(envelope.kind)));
  }
  kubernetes::Status message;
  if (!message.ParseFromString(envelope.message)) return Unreadable("a Status");
  MessageNodes nodes;
  return ReadStatus(nodes.Build(message));
}

}  // namespace shunt
