// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/refusal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/sources/kubernetes/api_decoder.h"

namespace shunt {
namespace {

constexpr int64_t kLongestRetryAfter = 120;

}  // namespace

ApiStatus ReadRefusal(const AnswerHead& head, std::string_view body) {
  const Resource of_no_concern;
  const auto decoder = ApiDecoder::For(head.content_type, of_no_concern);
  absl::StatusOr<ApiStatus> read = decoder.ok() && !body.empty()
                                       ? (*decoder)->DecodeStatus(body)
                                       : absl::StatusOr<ApiStatus>(absl::DataLossError(""));
  ApiStatus refusal = read.ok() ? *std::move(read) : ApiStatus();
  refusal.code = head.code;
  if (head.retry_after_s > 0) refusal.retry_after_s = head.retry_after_s;
  return refusal;
}

std::string RefusalText(const ApiStatus& refusal) {
  return absl::StrCat("HTTP ", refusal.code, refusal.reason.empty() ? "" : " ", refusal.reason,
                      refusal.message.empty() ? "" : ": ",
                      refusal.message.empty() ? "" : Quoted(refusal.message));
}

absl::Duration RetryAfter(const ApiStatus& refusal) {
  return absl::Seconds(std::clamp<int64_t>(refusal.retry_after_s, 0, kLongestRetryAfter));
}

}  // namespace shunt
