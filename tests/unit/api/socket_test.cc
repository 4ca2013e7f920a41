// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "tests/unit/api/api_fixture.h"
#include "userspace/api/unix_socket.h"
#include "userspace/base/unique_fd.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;

mode_t ModeOf(const std::string& path) {
  struct stat file{};
  EXPECT_EQ(lstat(path.c_str(), &file), 0) << path;
  return file.st_mode & 07777;
}

// A socket file whose listener is gone, as kill -9 leaves it.
void LeaveStaleSocket(const std::string& path) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

class ApiSocket : public ApiFixture {};

TEST_F(ApiSocket, OpensToOwnerAndGroupOnlyWhateverTheUmaskIs) {
  const mode_t before = umask(0);
  StartServer();
  EXPECT_EQ(umask(before), 0) << "the process' umask was not put back";
  EXPECT_EQ(ModeOf(socket_), 0660);
  EXPECT_EQ(ModeOf(directory_ + "/run"), 0750);
}

TEST_F(ApiSocket, LeavesADirectoryThatIsThereAsItIs) {
  ASSERT_EQ(mkdir((directory_ + "/run").c_str(), 0700), 0);
  StartServer();
  EXPECT_EQ(ModeOf(directory_ + "/run"), 0700);
}

TEST_F(ApiSocket, ReplacesTheSocketOfAnAgentThatWasKilled) {
  std::filesystem::create_directory(directory_ + "/run");
  LeaveStaleSocket(socket_);
  EXPECT_FALSE(ProbeSocket(socket_).ok());
  StartServer();
  EXPECT_TRUE(ProbeSocket(socket_).ok());
}

TEST_F(ApiSocket, RefusesToTakeTheSocketOfARunningAgent) {
  StartServer();
  const auto second = ApiServer::Start(socket_, agent_);
  EXPECT_TRUE(absl::IsAlreadyExists(second.status())) << second.status();
  EXPECT_TRUE(ProbeSocket(socket_).ok()) << "the running agent lost its socket";
}

TEST_F(ApiSocket, RefusesToOverwriteAFileThatIsNoSocket) {
  std::filesystem::create_directory(directory_ + "/run");
  std::ofstream(socket_) << "precious";
  const auto server = ApiServer::Start(socket_, agent_);
  EXPECT_TRUE(absl::IsFailedPrecondition(server.status())) << server.status();
  EXPECT_TRUE(std::filesystem::is_regular_file(socket_));
}

TEST_F(ApiSocket, NamesTheLimitWhereThePathIsTooLong) {
  socket_ = directory_ + "/" + std::string(108 - directory_.size() - 1, 'a');
  const auto server = ApiServer::Start(socket_, agent_);
  EXPECT_TRUE(absl::IsInvalidArgument(server.status()));
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("107 is the limit"));
}

TEST_F(ApiSocket, TakesTheLongestPathThatTheKernelTakes) {
  socket_ = directory_ + "/" + std::string(107 - directory_.size() - 1, 'a');
  StartServer();
  EXPECT_TRUE(ProbeSocket(socket_).ok());
}

TEST_F(ApiSocket, TakesAPathThatMeansSomethingInAUri) {
  socket_ = directory_ + "/a b%20c?d#e:f.sock";
  StartServer();
  EXPECT_TRUE(ProbeSocket(socket_).ok());
}

TEST_F(ApiSocket, NamesTheDirectoryThatCannotBeMade) {
  std::ofstream(directory_ + "/run") << "a file";
  const auto server = ApiServer::Start(socket_, agent_);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr(directory_ + "/run"));
}

TEST_F(ApiSocket, IsRemovedWhenTheAgentStops) {
  StartServer();
  server_.reset();
  EXPECT_TRUE(absl::IsNotFound(ProbeSocket(socket_)));
}

}  // namespace
}  // namespace shunt
