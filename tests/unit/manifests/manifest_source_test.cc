// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/manifest_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/unit/manifests/temporary_directory.h"

namespace shunt {
namespace {

namespace fs = std::filesystem;

std::string ServiceText(const std::string& name, int port = 80) {
  return absl::StrCat("---\napiVersion: v1\nkind: Service\nmetadata: {name: ", name,
                      "}\nspec: {ports: [{port: ", port, "}]}\n");
}

class ManifestSourceTest : public ::testing::Test {
 protected:
  void Start() {
    auto source = ManifestSource::Start((directory_ / "manifests").string(), store_);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
    ASSERT_TRUE(Eventually([this] { return store_.synced(); }));
  }

  // Waits until it is so; each change of the store is a reason to look again.
  bool Eventually(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (true) {
      int seen;
      {
        absl::MutexLock lock(&mutex_);
        seen = notified_;
      }
      TakeChanges();
      if (condition()) return true;
      absl::MutexLock lock(&mutex_);
      const auto has_news = [&] { return notified_ != seen; };
      if (!mutex_.AwaitWithDeadline(absl::Condition(&has_news), deadline)) return false;
    }
  }

  void TakeChanges() {
    for (const auto& [name, input] : store_.Take().services) {
      services_.erase(name.name);
      if (input.service != nullptr) services_[name.name] = input.service->ports[0].port;
      history_.push_back(
          absl::StrCat(name.name, "=", input.service == nullptr ? 0 : services_[name.name]));
    }
  }

  // Services by name, with their port.
  using Services = std::map<std::string, int>;
  bool Becomes(const Services& expected) {
    const bool became = Eventually([&] { return services_ == expected; });
    EXPECT_EQ(services_, expected);
    return became;
  }
  bool Reports(const std::string& part) {
    const bool reported = Eventually([&] { return absl::StrContains(AllProblems(), part); });
    EXPECT_THAT(AllProblems(), testing::HasSubstr(part));
    return reported;
  }
  bool HasNoProblems() {
    return Eventually([this] { return store_.problems().empty(); });
  }
  std::string AllProblems() const {
    std::string all;
    for (const Problem& problem : store_.problems())
      absl::StrAppend(&all, problem.ToString(), "\n");
    return all;
  }

  void Write(const std::string& file, const std::string& text) {
    directory_.Write("manifests/" + file, text);
  }
  fs::path PathOf(const std::string& file) { return directory_ / ("manifests/" + file); }

  ManifestSourceTest() { fs::create_directory(directory_ / "manifests"); }

  TemporaryDirectory directory_;
  absl::Mutex mutex_;
  int notified_ = 0;
  Store store_{"node-a", [this] {
                 absl::MutexLock lock(&mutex_);
                 ++notified_;
               }};
  std::unique_ptr<ManifestSource> source_;
  Services services_;
  std::vector<std::string> history_;  // of what the control thread saw
};

TEST_F(ManifestSourceTest, AMissingDirectoryIsAnErrorAtStart) {
  const auto source = ManifestSource::Start((directory_ / "none").string(), store_);
  EXPECT_TRUE(absl::IsNotFound(source.status())) << source.status();
  EXPECT_THAT(std::string(source.status().message()), testing::HasSubstr("none: No such file"));
}

TEST_F(ManifestSourceTest, AFileIsNoDirectory) {
  directory_.Write("file", "");
  const auto source = ManifestSource::Start((directory_ / "file").string(), store_);
  EXPECT_THAT(std::string(source.status().message()), testing::HasSubstr("Not a directory"));
}

TEST_F(ManifestSourceTest, AnEmptyDirectoryIsACompleteOne) {
  Start();
  EXPECT_TRUE(Becomes({}));
}

TEST_F(ManifestSourceTest, EverythingIsKnownBeforeTheStoreIsSynced) {
  Write("a.yaml", ServiceText("a") + ServiceText("b"));
  Write("c.json", R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"c"},)"
                  R"("spec":{"ports":[{"port":80}]}})");
  Write("d.yml", ServiceText("d"));
  Write(".hidden.yaml", ServiceText("hidden"));
  Write("readme.txt", ServiceText("text"));
  Write("web.yaml~", ServiceText("backup"));
  Start();
  TakeChanges();
  EXPECT_EQ(services_, (Services{{"a", 80}, {"b", 80}, {"c", 80}, {"d", 80}}));
}

TEST_F(ManifestSourceTest, FollowsFilesThatComeChangeAndGo) {
  Start();
  Write("web.yaml", ServiceText("web", 1));
  EXPECT_TRUE(Becomes({{"web", 1}}));
  Write("web.yaml", ServiceText("web", 2));
  EXPECT_TRUE(Becomes({{"web", 2}}));
  directory_.Write("manifests/.tmp", ServiceText("web", 3));
  fs::rename(PathOf(".tmp"), PathOf("web.yaml"));
  EXPECT_TRUE(Becomes({{"web", 3}}));
  fs::rename(PathOf("web.yaml"), PathOf("other.yaml"));
  Write("more.yaml", ServiceText("more"));
  EXPECT_TRUE(Becomes({{"web", 3}, {"more", 80}}));
  fs::remove(PathOf("other.yaml"));
  EXPECT_TRUE(Becomes({{"more", 80}}));
  fs::rename(PathOf("more.yaml"), directory_ / "elsewhere.yaml");
  EXPECT_TRUE(Becomes({}));
  fs::create_hard_link(directory_ / "elsewhere.yaml", PathOf("linked.yaml"));
  EXPECT_TRUE(Becomes({{"more", 80}}));
}

TEST_F(ManifestSourceTest, RenamingAFileNeverTakesItsServicesAway) {
  Write("a.yaml", ServiceText("web"));
  Start();
  EXPECT_TRUE(Becomes({{"web", 80}}));
  fs::rename(PathOf("a.yaml"), PathOf("b.yaml"));
  Write("marker.yaml", ServiceText("marker"));
  EXPECT_TRUE(Becomes({{"web", 80}, {"marker", 80}}));
  EXPECT_THAT(history_, testing::Not(testing::Contains("web=0")));
}

TEST_F(ManifestSourceTest, AFileIsReadWhenItIsClosedAndNotBefore) {
  Write("web.yaml", ServiceText("web"));
  Start();
  EXPECT_TRUE(Becomes({{"web", 80}}));
  std::ofstream half(PathOf("web.yaml"));  // truncates
  half << "apiVersion: v1\nkind: Serv" << std::flush;
  std::ofstream fresh(PathOf("new.yaml"));
  fresh << ServiceText("half") << std::flush;
  Write("marker.yaml", ServiceText("marker"));  // whatever happened before was seen before
  EXPECT_TRUE(Becomes({{"web", 80}, {"marker", 80}}));
  EXPECT_EQ(AllProblems(), "");
  half << "ice\nmetadata: {name: web}\nspec: {ports: [{port: 81}]}\n";
  half.close();
  fresh.close();
  EXPECT_TRUE(Becomes({{"web", 81}, {"marker", 80}, {"half", 80}}));
}

TEST_F(ManifestSourceTest, AnEditorThatRenamesTheOldFileAwayInterruptsNothing) {
  Write("web.yaml", ServiceText("web", 1));
  Start();
  EXPECT_TRUE(Becomes({{"web", 1}}));
  for (int port = 2; port < 30; ++port) {  // as vim does
    fs::rename(PathOf("web.yaml"), PathOf("web.yaml~"));
    std::ofstream file(PathOf("web.yaml"));
    file << ServiceText("web", port);
    file.close();
    fs::remove(PathOf("web.yaml~"));
    ASSERT_TRUE(Becomes({{"web", port}}));
  }
  EXPECT_THAT(history_, testing::Not(testing::Contains("web=0")));
}

// Makes what the kubelet makes of a ConfigMap.
class ConfigMapTest : public ManifestSourceTest {
 protected:
  void Mount(const std::string& version, const std::string& text) {
    const std::string data = "..2024_05_01_" + version;
    fs::create_directory(PathOf(data));
    Write(data + "/web.yaml", text);
    fs::create_directory_symlink(data, PathOf("..data_tmp"));
    fs::rename(PathOf("..data_tmp"), PathOf("..data"));
    if (!fs::is_symlink(PathOf("web.yaml"))) {
      fs::create_symlink("..data/web.yaml", PathOf("web.yaml"));
    }
    if (!mounted_.empty()) fs::remove_all(PathOf(mounted_));
    mounted_ = data;
  }

  std::string mounted_;
};

TEST_F(ConfigMapTest, AMountedConfigMapIsFollowed) {
  Mount("1", ServiceText("web", 1));
  Start();
  EXPECT_TRUE(Becomes({{"web", 1}}));
  for (int port = 2; port < 10; ++port) {
    Mount(std::to_string(port), ServiceText("web", port));
    ASSERT_TRUE(Becomes({{"web", port}}));
  }
  EXPECT_THAT(history_, testing::Not(testing::Contains("web=0")));
}

TEST_F(ConfigMapTest, AConfigMapMayBeMountedWhileItIsFollowed) {
  Start();
  Mount("1", ServiceText("web", 1));
  EXPECT_TRUE(Becomes({{"web", 1}}));
  fs::remove(PathOf("web.yaml"));
  EXPECT_TRUE(Becomes({}));
}

TEST_F(ManifestSourceTest, AFileBehindALinkIsFollowedWhereItIs) {
  directory_.Write("real.yaml", ServiceText("web", 1));
  fs::create_symlink("../real.yaml", PathOf("web.yaml"));
  fs::create_symlink("../real.yaml", PathOf("same.yaml"));
  Start();
  EXPECT_TRUE(Becomes({{"web", 1}}));
  directory_.Write("real.yaml", ServiceText("web", 2));
  EXPECT_TRUE(Becomes({{"web", 2}}));
  for (int port = 3; port < 8; ++port) {  // each time it is another inode
    directory_.Replace("real.yaml", ServiceText("web", port));
    ASSERT_TRUE(Becomes({{"web", port}}));
  }
  fs::remove(directory_ / "real.yaml");
  EXPECT_TRUE(Reports("leads nowhere"));
  EXPECT_TRUE(Becomes({}));
  directory_.Write("real.yaml", ServiceText("web", 9));  // no event tells: it is tried again
  EXPECT_TRUE(Becomes({{"web", 9}}));
  EXPECT_TRUE(Reports("defined in same.yaml:2 too"));
}

TEST_F(ManifestSourceTest, ATypoKeepsTheLastGoodStateAndHarmsNoOtherFile) {
  Write("web.yaml", ServiceText("web", 1) + ServiceText("api", 1));
  Start();
  Write("web.yaml", ServiceText("web", 2) + "kind: [\n");
  EXPECT_TRUE(Reports("web.yaml:"));
  Write("other.yaml", ServiceText("other"));
  EXPECT_TRUE(Becomes({{"web", 1}, {"api", 1}, {"other", 80}}));
  Write("web.yaml", ServiceText("web", 3));
  EXPECT_TRUE(Becomes({{"web", 3}, {"other", 80}}));
  EXPECT_TRUE(HasNoProblems());
}

TEST_F(ManifestSourceTest, AnUnusableObjectKeepsItsLastGoodStateAloneInItsFile) {
  Write("web.yaml", ServiceText("web", 1) + ServiceText("api", 1));
  Start();
  Write("web.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: 80}\n" +
                        ServiceText("api", 2));
  EXPECT_TRUE(Becomes({{"web", 1}, {"api", 2}}));
  EXPECT_TRUE(Reports("web.yaml:4: Service default/web: spec.ports: 80 is a number"));
}

TEST_F(ManifestSourceTest, ABrokenFileThatGoesIsGone) {
  Write("web.yaml", ServiceText("web"));
  Start();
  Write("web.yaml", "kind: [\n");
  EXPECT_TRUE(Reports("not YAML"));
  EXPECT_TRUE(Becomes({{"web", 80}}));
  fs::remove(PathOf("web.yaml"));
  EXPECT_TRUE(Becomes({}));
  EXPECT_TRUE(HasNoProblems());
}

TEST_F(ManifestSourceTest, AnEmptyFileHasNoServices) {
  Write("web.yaml", ServiceText("web"));
  Start();
  EXPECT_TRUE(Becomes({{"web", 80}}));
  Write("web.yaml", "");
  EXPECT_TRUE(Becomes({}));
  EXPECT_EQ(AllProblems(), "");
}

TEST_F(ManifestSourceTest, WhatIsNoFileIsReportedAndStopsNobody) {
  mkfifo(PathOf("pipe.yaml").c_str(), 0600);
  fs::create_directory(PathOf("dir.yaml"));
  fs::create_symlink("loop.yaml", PathOf("loop.yaml"));
  fs::create_symlink("/nowhere", PathOf("dangling.yaml"));
  fs::create_symlink(".", PathOf("self.yaml"));
  Write("large.yaml", "");
  fs::resize_file(PathOf("large.yaml"), 100 << 20);
  Write("web.yaml", ServiceText("web"));
  Start();
  EXPECT_TRUE(Becomes({{"web", 80}}));
  EXPECT_TRUE(Reports("pipe.yaml: not a regular file"));
  EXPECT_TRUE(Reports("dir.yaml: not a regular file"));
  EXPECT_TRUE(Reports("self.yaml: not a regular file"));
  EXPECT_TRUE(Reports("loop.yaml: cannot be read: Too many levels of symbolic links"));
  EXPECT_TRUE(Reports("dangling.yaml: a symbolic link that leads nowhere"));
  EXPECT_TRUE(Reports("large.yaml: larger than 64 MiB"));
  EXPECT_EQ(store_.sizes().problems, 6u);
  Write("web.yaml",
        ServiceText("web", 81));  // "self.yaml" must not have cost the directory's watch
  EXPECT_TRUE(Becomes({{"web", 81}}));
  for (const char* file :
       {"pipe.yaml", "dir.yaml", "self.yaml", "loop.yaml", "dangling.yaml", "large.yaml"}) {
    fs::remove(PathOf(file));
  }
  EXPECT_TRUE(HasNoProblems());
}

TEST_F(ManifestSourceTest, WhatIsNoFileIsReportedWhenItComes) {
  Start();
  mkfifo(PathOf("pipe.yaml").c_str(), 0600);
  EXPECT_TRUE(Reports("pipe.yaml: not a regular file"));
}

// Root may read everything: becomes nobody, who is given the paths, for as long
// as it lives.
class Unprivileged {
 public:
  explicit Unprivileged(const std::vector<fs::path>& paths) : was_root_(geteuid() == 0) {
    if (!was_root_) return;
    for (const fs::path& path : paths) EXPECT_EQ(chown(path.c_str(), kNobody, kNobody), 0);
    EXPECT_EQ(seteuid(kNobody), 0);
  }
  ~Unprivileged() {
    if (was_root_) EXPECT_EQ(seteuid(0), 0);
  }

 private:
  static constexpr uid_t kNobody = 65534;
  const bool was_root_;
};

TEST_F(ManifestSourceTest, AFileThatMayNotBeReadKeepsItsServicesUntilItMay) {
  const Unprivileged user({directory_ / ".", directory_ / "manifests"});
  Write("web.yaml", ServiceText("web", 1));
  Start();
  EXPECT_TRUE(Becomes({{"web", 1}}));
  directory_.Write("manifests/.tmp", ServiceText("web", 2));
  fs::permissions(PathOf(".tmp"), fs::perms::none);
  fs::rename(PathOf(".tmp"), PathOf("web.yaml"));
  EXPECT_TRUE(Reports("web.yaml: cannot be read: Permission denied"));
  EXPECT_TRUE(Becomes({{"web", 1}}));
  fs::permissions(PathOf("web.yaml"), fs::perms::owner_read);
  EXPECT_TRUE(Becomes({{"web", 2}}));
  EXPECT_TRUE(HasNoProblems());
  source_.reset();
}

TEST_F(ManifestSourceTest, ADirectoryThatIsMadeAgainIsFollowedAgain) {
  Write("web.yaml", ServiceText("web", 1));
  Start();
  EXPECT_TRUE(Becomes({{"web", 1}}));
  for (int port = 2; port < 6; ++port) {
    fs::remove_all(directory_ / "manifests");
    EXPECT_TRUE(Reports("manifests: the directory is gone, and its objects with it"));
    EXPECT_TRUE(Becomes({}));
    fs::create_directory(directory_ / "manifests");
    EXPECT_TRUE(HasNoProblems());
    Write("web.yaml", ServiceText("web", port));
    ASSERT_TRUE(Becomes({{"web", port}}));
  }
}

TEST_F(ManifestSourceTest, ADirectoryMayBeSwappedForAnother) {
  Write("web.yaml", ServiceText("web", 1));
  Start();
  fs::create_directory(directory_ / "next");
  directory_.Write("next/web.yaml", ServiceText("web", 2));
  fs::rename(directory_ / "manifests", directory_ / "old");
  fs::rename(directory_ / "next", directory_ / "manifests");
  EXPECT_TRUE(Becomes({{"web", 2}}));
  directory_.Write("old/web.yaml", ServiceText("web", 3));  // nobody's any more
  Write("web.yaml", ServiceText("web", 4));
  EXPECT_TRUE(Becomes({{"web", 4}}));
  EXPECT_THAT(history_, testing::Not(testing::Contains("web=3")));
}

TEST_F(ManifestSourceTest, ADirectoryBehindALinkMayBeSwappedToo) {
  fs::create_directory(directory_ / "v1");
  fs::create_directory(directory_ / "v2");
  directory_.Write("v1/web.yaml", ServiceText("web", 1));
  directory_.Write("v2/web.yaml", ServiceText("web", 2));
  fs::remove(directory_ / "manifests");
  fs::create_directory_symlink("v1", directory_ / "manifests");
  Start();
  EXPECT_TRUE(Becomes({{"web", 1}}));
  fs::create_directory_symlink("v2", directory_ / "tmp");
  fs::rename(directory_ / "tmp", directory_ / "manifests");
  EXPECT_TRUE(Becomes({{"web", 2}}));
}

// Does one thing that a user may do, to the directory and to `files` (by file
// name: the Service and the port in it).
class RandomUser {
 public:
  using Files = std::map<std::string, std::pair<std::string, int>>;

  explicit RandomUser(fs::path directory) : directory_(std::move(directory)) {}

  void Act(Files& files) {
    const std::string file = RandomFile();
    switch (random_() % 4) {
      case 0:
        files[file] = Write(file);
        break;
      case 1:
        files[file] = Write(".tmp");
        fs::rename(directory_ / ".tmp", directory_ / file);
        break;
      case 2:
        fs::remove(directory_ / file);
        files.erase(file);
        break;
      default:
        const std::string other = RandomFile();
        if (file == other || !files.contains(file)) return;
        fs::rename(directory_ / file, directory_ / other);
        files[other] = files[file];
        files.erase(file);
    }
  }

 private:
  std::string RandomFile() { return absl::StrCat("f", random_() % 4, ".yaml"); }

  std::pair<std::string, int> Write(const std::string& file) {
    const std::string name = absl::StrCat("s", random_() % 3);
    const int port = 1 + static_cast<int>(random_() % 1000);
    std::ofstream(directory_ / file) << ServiceText(name, port);
    return {name, port};
  }

  const fs::path directory_;
  std::mt19937 random_{7};
};

TEST_F(ManifestSourceTest, WhateverHappenedServicesAreAsTheFilesAreAfterwards) {
  Start();
  RandomUser user(directory_ / "manifests");
  RandomUser::Files files;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 40; ++i) user.Act(files);  // also while files are read
    Services expected;
    for (const auto& [file, service] : files) expected.insert(service);  // the first file counts
    ASSERT_TRUE(Becomes(expected)) << "round " << round;
  }
}

TEST_F(ManifestSourceTest, ItEndsAtOnceAndLeavesWhatIsServed) {
  Write("web.yaml", ServiceText("web"));
  Start();
  source_.reset();
  TakeChanges();
  EXPECT_EQ(services_, (Services{{"web", 80}}));
}

}  // namespace
}  // namespace shunt
