// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/file_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/manifests/temporary_directory.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;

class FileReaderTest : public ::testing::Test {
 protected:
  std::string Message(const std::string& file, size_t max_bytes = kMaxManifestBytes) {
    const auto text = ReadManifestFile((directory_ / file).string(), max_bytes);
    return text.ok() ? "read" : std::string(text.status().message());
  }

  TemporaryDirectory directory_;
};

TEST_F(FileReaderTest, ReadsAWholeFileThroughLinks) {
  const std::string text(3'000'000, 'x');
  directory_.Write("web.yaml", text);
  std::filesystem::create_symlink("web.yaml", directory_ / "link.yaml");
  EXPECT_EQ(ReadManifestFile((directory_ / "link.yaml").string()).value(), text);
  directory_.Write("empty.yaml", "");
  EXPECT_EQ(ReadManifestFile((directory_ / "empty.yaml").string()).value(), "");
}

TEST_F(FileReaderTest, RefusesAFileThatIsTooLargeWithoutReadingIt) {
  directory_.Write("web.yaml", "");
  // Sparse: if it were read, a terabyte would come.
  std::filesystem::resize_file(directory_ / "web.yaml", uint64_t{1} << 40);
  EXPECT_EQ(Message("web.yaml"), "larger than 64 MiB, which no manifest may be");
}

TEST_F(FileReaderTest, TheLimitItselfIsAllowed) {
  directory_.Write("web.yaml", std::string(1 << 20, 'x'));
  EXPECT_EQ(Message("web.yaml", 1 << 20), "read");
  EXPECT_EQ(Message("web.yaml", (1 << 20) - 1), "larger than 0 MiB, which no manifest may be");
}

TEST_F(FileReaderTest, WaitsForNoPipeDeviceOrDirectory) {
  mkfifo((directory_ / "pipe.yaml").c_str(), 0600);
  std::filesystem::create_directory(directory_ / "dir.yaml");
  std::filesystem::create_symlink("/dev/zero", directory_ / "zero.yaml");
  for (const char* file : {"pipe.yaml", "dir.yaml", "zero.yaml"}) {
    EXPECT_EQ(Message(file), "not a regular file, so it is not read") << file;
  }
}

TEST_F(FileReaderTest, TellsALoopOfLinksFromAFileThatIsGone) {
  std::filesystem::create_symlink("b.yaml", directory_ / "a.yaml");
  std::filesystem::create_symlink("a.yaml", directory_ / "b.yaml");
  EXPECT_THAT(Message("a.yaml"), HasSubstr("Too many levels of symbolic links"));
  EXPECT_TRUE(absl::IsNotFound(ReadManifestFile((directory_ / "none.yaml").string()).status()));
}

}  // namespace
}  // namespace shunt
