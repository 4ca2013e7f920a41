// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_TIMED_READER_H_
#define SHUNT_CLI_TIMED_READER_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>

#include "absl/time/time.h"

namespace shunt {

// Reads a stream of messages, each of which has to come within a time limit: a
// deadline for the whole call would cut long answers and endless watches.
template <typename Response>
class TimedReader {
 public:
  // `start(context, queue, tag)` begins the call and returns its reader.
  template <typename Start>
  TimedReader(absl::Duration timeout, Start start)
      : timeout_(absl::ToChronoMilliseconds(timeout)), reader_(start(&context_, &queue_, this)) {
    started_ = Await();
  }

  // No operation may be under way when the reader goes.
  ~TimedReader() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  TimedReader(const TimedReader&) = delete;
  TimedReader& operator=(const TimedReader&) = delete;

  // False: there are no more; Finish() says why.
  bool Read(Response& response) {
    if (!started_) return false;
    reader_->Read(&response, this);
    return Await();
  }

  grpc::Status Finish() {
    if (timed_out_) return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "");
    grpc::Status status;
    reader_->Finish(&status, this);
    Await();
    return timed_out_ ? grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "") : status;
  }

 private:
  bool Await() {
    void* tag;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + timeout_;
    timed_out_ = queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::TIMEOUT;
    return ok && !timed_out_;
  }

  const std::chrono::milliseconds timeout_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  bool timed_out_ = false;
  bool started_ = false;
  std::unique_ptr<grpc::ClientAsyncReader<Response>> reader_;
};

}  // namespace shunt

#endif  // SHUNT_CLI_TIMED_READER_H_
