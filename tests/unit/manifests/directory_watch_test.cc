// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/directory_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/manifests/temporary_directory.h"

namespace shunt {
namespace {

using ::testing::Key;
using ::testing::UnorderedElementsAre;

class DirectoryWatchTest : public ::testing::Test {
 protected:
  DirectoryWatchTest() {
    std::filesystem::create_directory(directory_ / "d");
    watch_ = std::make_unique<DirectoryWatch>(*DirectoryWatch::Open((directory_ / "d").string()));
  }

  DirectoryEvents Read() {
    DirectoryEvents events;
    EXPECT_TRUE(watch_->Read(events).ok());
    return events;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<DirectoryWatch> watch_;
};

TEST_F(DirectoryWatchTest, ABurstOfChangesOfAFileIsOne) {
  for (int i = 0; i < 100; ++i) directory_.Write("d/web.yaml", "x");
  const DirectoryEvents events = Read();
  EXPECT_FALSE(events.everything);
  EXPECT_THAT(events.files, UnorderedElementsAre(Key("web.yaml")));
  EXPECT_TRUE(events.files.at("web.yaml") & IN_CLOSE_WRITE);
  EXPECT_TRUE(Read().empty());
}

TEST_F(DirectoryWatchTest, WhenTheKernelForgetsEventsEverythingIsLookedAt) {
  int limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  ASSERT_GT(limit, 0);
  for (int i = 0; i < limit; ++i) {  // two events each, that differ from their neighbours
    directory_.Write(i % 2 == 0 ? "d/a" : "d/b", "");
  }
  EXPECT_TRUE(Read().everything);
  EXPECT_TRUE(Read().empty());
}

TEST_F(DirectoryWatchTest, WhatHappensBesideTheDirectoryWakesButMeansNothing) {
  directory_.Write("other", "x");
  std::filesystem::create_directory(directory_ / "e");
  EXPECT_TRUE(Read().empty());
}

TEST_F(DirectoryWatchTest, KnowsWhetherTheDirectoryIsThere) {
  std::filesystem::remove(directory_ / "d");
  EXPECT_TRUE(Read().everything);
  EXPECT_FALSE(watch_->present());
  std::filesystem::create_directory(directory_ / "d");
  EXPECT_TRUE(Read().everything);
  EXPECT_TRUE(watch_->present());
  EXPECT_FALSE(watch_->Look());
}

TEST_F(DirectoryWatchTest, ALinkIsFollowedUntilItIsForgotten) {
  directory_.Write("real", "x");
  std::filesystem::create_symlink("../real", directory_ / "d/web.yaml");
  Read();
  watch_->FollowLink("web.yaml");
  directory_.Write("real", "y");
  EXPECT_TRUE(Read().files["web.yaml"] & IN_CLOSE_WRITE);
  watch_->Forget("web.yaml");
  Read();
  directory_.Write("real", "z");
  EXPECT_TRUE(Read().empty());
}

TEST_F(DirectoryWatchTest, ATrailingSlashAndDotsChangeNothing) {
  const std::string path = (directory_ / "d").string();
  EXPECT_EQ(DirectoryWatch::Open(path + "/")->path(), path);
  EXPECT_EQ(DirectoryWatch::Open(path + "/../d/.")->path(), path);
}

}  // namespace
}  // namespace shunt
