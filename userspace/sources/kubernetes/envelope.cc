// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/envelope.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/sources/kubernetes/proto/kubernetes.pb.h"

namespace shunt {
namespace {

constexpr std::string_view kMagic("k8s\0", 4);

}  // namespace

absl::StatusOr<Envelope> OpenEnvelope(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return absl::DataLossError(absl::StrCat("does not begin with \"k8s\\x00\" but with ",
                                            Quoted(bytes.substr(0, kMagic.size()))));
  }
  bytes.remove_prefix(kMagic.size());
  kubernetes::Unknown unknown;
  if (!unknown.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("the envelope behind \"k8s\\x00\" cannot be read");
  }
  if (!unknown.contentencoding().empty() || !unknown.contenttype().empty()) {
    return absl::DataLossError(absl::StrCat("an envelope of content type ",
                                            Quoted(unknown.contenttype()), " and encoding ",
                                            Quoted(unknown.contentencoding()), ", expected none"));
  }
  return Envelope{.api_version = unknown.typemeta().apiversion(),
                  .kind = unknown.typemeta().kind(),
                  .message = std::move(*unknown.mutable_raw())};
}

}  // namespace shunt
