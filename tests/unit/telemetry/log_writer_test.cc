// SPDX-License-Identifier: Apache-2.0
#include "userspace/telemetry/log_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

struct Pipe {
  Pipe() {
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    reader = UniqueFd(fds[0]);
    writer = UniqueFd(fds[1]);
  }

  // What can be read within a while of silence that no writer in flight needs.
  std::string ReadAvailable() const {
    std::string text;
    char buffer[65536];
    pollfd ready = {.fd = reader.get(), .events = POLLIN, .revents = 0};
    while (poll(&ready, 1, 0) > 0) {
      const ssize_t got = read(reader.get(), buffer, sizeof(buffer));
      if (got <= 0) break;
      text.append(buffer, got);
    }
    return text;
  }

  // Fills the pipe's buffer, as a reader does who stopped reading.
  void Block() const {
    const int flags = fcntl(writer.get(), F_GETFL);
    fcntl(writer.get(), F_SETFL, flags | O_NONBLOCK);
    const std::string page(4096, '.');
    while (write(writer.get(), page.data(), page.size()) > 0) {
    }
    fcntl(writer.get(), F_SETFL, flags);
  }

  UniqueFd reader;
  UniqueFd writer;
};

TEST(LogWriter, WritesLinesInTheirOrder) {
  const Pipe pipe;
  LogWriter writer(pipe.writer.get());
  writer.Write("first");
  writer.Write("second");
  ASSERT_TRUE(writer.Flush(kLong));
  EXPECT_EQ(pipe.ReadAvailable(), "first\nsecond\n");
}

TEST(LogWriter, LinesOfManyThreadsDoNotMix) {
  const Pipe pipe;
  LogWriter writer(pipe.writer.get());
  std::vector<std::thread> threads;
  for (const char letter : {'a', 'b', 'c', 'd'}) {
    threads.emplace_back([&writer, letter] {
      for (int i = 0; i < 100; ++i) writer.Write(std::string(99, letter));
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(writer.Flush(kLong));

  const std::string text = pipe.ReadAvailable();
  ASSERT_EQ(text.size(), 400 * 100);
  for (size_t i = 0; i < text.size(); i += 100) {
    EXPECT_EQ(text.substr(i, 100), std::string(99, text[i]) + "\n");
  }
}

TEST(LogWriter, AReaderWhoStallsStallsNobody) {
  const Pipe pipe;
  pipe.Block();
  LogWriter writer(pipe.writer.get());
  for (size_t i = 0; i < 2 * LogWriter::kQueueLength; ++i) writer.Write("line");
  EXPECT_GE(writer.lost(), LogWriter::kQueueLength - 2);
  EXPECT_FALSE(writer.Flush(absl::Milliseconds(1)));
  // And the end of the test shows that the destructor does not wait either.
}

TEST(LogWriter, TheNewestLinesSurviveAStall) {
  const Pipe pipe;
  pipe.Block();
  LogWriter writer(pipe.writer.get());
  for (size_t i = 0; i < 2 * LogWriter::kQueueLength; ++i) writer.Write(std::to_string(i));
  std::string text = pipe.ReadAvailable();  // the reader is back
  while (!writer.Flush(absl::Milliseconds(1))) text += pipe.ReadAvailable();
  text += pipe.ReadAvailable();
  const std::string newest = "\n" + std::to_string(2 * LogWriter::kQueueLength - 1) + "\n";
  EXPECT_NE(text.find(newest), std::string::npos);
}

TEST(LogWriter, ALineLongerThanThePipeArrivesWhole) {
  const Pipe pipe;
  LogWriter writer(pipe.writer.get());
  const std::string line(200'000, 'x');
  writer.Write(line);
  std::string text;
  while (!writer.Flush(absl::Milliseconds(1))) text += pipe.ReadAvailable();
  text += pipe.ReadAvailable();
  EXPECT_EQ(text, line + "\n");
}

TEST(LogWriter, AClosedReaderIsNoError) {
  signal(SIGPIPE, SIG_IGN);  // as the agent does
  Pipe pipe;
  pipe.reader = UniqueFd();
  LogWriter writer(pipe.writer.get());
  writer.Write("line");
  EXPECT_TRUE(writer.Flush(kLong));
}

TEST(LogWriter, ADescriptorThatIsNotOpenIsNoError) {
  LogWriter writer(987654);
  writer.Write("line");
  EXPECT_TRUE(writer.Flush(kLong));
}

}  // namespace
}  // namespace shunt
