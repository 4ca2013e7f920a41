// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/api_decoder.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/sources/kubernetes/json_decoder.h"
#include "userspace/sources/kubernetes/protobuf_decoder.h"

namespace shunt {

absl::StatusOr<std::unique_ptr<ApiDecoder>> ApiDecoder::For(std::string_view content_type,
                                                            const Resource& resource) {
  // Without its parameters: ";stream=watch", ";charset=utf-8".
  const absl::string_view type =
      absl::StripAsciiWhitespace(Absl(content_type.substr(0, content_type.find(';'))));
  if (type == "application/vnd.kubernetes.protobuf") {
    return std::make_unique<ProtobufDecoder>(resource);
  }
  if (type == "application/json" || type.empty()) return std::make_unique<JsonDecoder>(resource);
  return absl::DataLossError(absl::StrCat("an answer of type ", Quoted(content_type),
                                          "; this does not look like an API server"));
}

}  // namespace shunt
