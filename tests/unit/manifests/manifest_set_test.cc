// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/manifest_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/unit/manifests/decoding.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// A Service that is told from others by its port.
ManifestObject Object1(const std::string& name, uint16_t port, int line = 1) {
  Service service{.meta = {.name = {"shop", name}}, .ports = {{.port = port}}};
  return {.key = KeyOf(service),
          .line = line,
          .object = std::make_shared<const Object>(std::move(service))};
}

ManifestObject Unusable(const std::string& name) {
  return {.key = {.kind = Kind::kService, .name = {"shop", name}}, .line = 1};
}

ManifestContent File(std::vector<ManifestObject> objects) {
  return {.objects = std::move(objects)};
}

class ManifestSetTest : public ::testing::Test {
 protected:
  // The changes since the last call: name and port, 0 where gone.
  std::map<std::string, int> Changes() {
    update_ = set_.Take();
    std::map<std::string, int> changes;
    for (const ObjectChange& change : update_.changes) {
      changes[change.key.name.name] =
          change.object == nullptr ? 0 : std::get<Service>(*change.object).ports[0].port;
    }
    return changes;
  }
  std::vector<std::string> ProblemsOf(const std::string& file) {
    return Messages(update_.problems[file]);
  }

  ManifestSet set_;
  ManifestSet::Update update_;
};

TEST_F(ManifestSetTest, OnlyWhatChangedInAFileIsTold) {
  set_.Set("a.yaml", File({Object1("web", 80), Object1("api", 81)}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("api", 81), Pair("web", 80)));
  set_.Set("a.yaml", File({Object1("web", 80), Object1("api", 82)}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("api", 82)));
  set_.Set("a.yaml", File({Object1("web", 80)}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("api", 0)));
  set_.Remove("a.yaml");
  EXPECT_THAT(Changes(), ElementsAre(Pair("web", 0)));
}

TEST_F(ManifestSetTest, TheFirstFileByNameOwnsAnObjectWhateverCameFirst) {
  set_.Set("b.yaml", File({Object1("web", 2, 7)}));
  Changes();
  set_.Set("a.yaml", File({Object1("web", 1, 3)}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("web", 1)));
  EXPECT_THAT(ProblemsOf("a.yaml"), IsEmpty());
  EXPECT_THAT(ProblemsOf("b.yaml"),
              ElementsAre("b.yaml:7: Service shop/web: defined in a.yaml:3 too, which counts: its "
                          "file comes first"));
  set_.Set("b.yaml", File({Object1("web", 22, 7)}));
  EXPECT_THAT(Changes(), IsEmpty());
}

TEST_F(ManifestSetTest, TheNextFileTakesOverWhenTheOwnerGoes) {
  set_.Set("a.yaml", File({Object1("web", 1)}));
  set_.Set("b.yaml", File({Object1("web", 2)}));
  set_.Set("c.yaml", File({Object1("web", 3)}));
  Changes();
  set_.Remove("a.yaml");
  EXPECT_THAT(Changes(), ElementsAre(Pair("web", 2)));
  EXPECT_THAT(ProblemsOf("b.yaml"), IsEmpty());
  EXPECT_THAT(ProblemsOf("c.yaml"), SizeIs(1));
  set_.Set("b.yaml", File({}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("web", 3)));
  EXPECT_THAT(ProblemsOf("c.yaml"), IsEmpty());
}

TEST_F(ManifestSetTest, AnUnusableObjectKeepsItsLastGoodState) {
  set_.Set("a.yaml", File({Object1("web", 80), Object1("api", 81)}));
  Changes();
  set_.Set("a.yaml", File({Unusable("web"), Object1("api", 82)}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("api", 82)));
  set_.Set("a.yaml", File({Object1("web", 83)}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("api", 0), Pair("web", 83)));
}

TEST_F(ManifestSetTest, AnObjectThatNeverWasUsableLeavesRoomForAnotherFile) {
  set_.Set("a.yaml", File({Unusable("web")}));
  set_.Set("b.yaml", File({Object1("web", 2)}));
  EXPECT_THAT(Changes(), ElementsAre(Pair("web", 2)));
}

TEST_F(ManifestSetTest, AFileThatCannotBeReadKeepsAllItsObjects) {
  set_.Set("a.yaml", File({Object1("web", 80)}));
  Changes();
  set_.Set("a.yaml", {.readable = false, .problems = {{.message = "not YAML"}}});
  EXPECT_THAT(Changes(), IsEmpty());
  EXPECT_THAT(ProblemsOf("a.yaml"), ElementsAre("not YAML"));
  set_.Fail("a.yaml", "cannot be read");
  EXPECT_THAT(Changes(), IsEmpty());
  EXPECT_THAT(ProblemsOf("a.yaml"), ElementsAre("a.yaml: cannot be read"));
  set_.Remove("a.yaml");
  EXPECT_THAT(Changes(), ElementsAre(Pair("web", 0)));
  EXPECT_THAT(update_.problems, UnorderedElementsAre(Pair("a.yaml", IsEmpty())));
}

TEST_F(ManifestSetTest, AfterAnySequenceTheFirstFileThatHasAnObjectOwnsIt) {
  std::mt19937 random(3);
  std::map<std::string, std::map<std::string, int>> files;  // by file, name and port
  std::map<std::string, int> told;
  for (int round = 0; round < 5000; ++round) {
    const std::string file(1, static_cast<char>('a' + random() % 4));
    if (random() % 4 == 0) {
      set_.Remove(file);
      files.erase(file);
    } else {
      ManifestContent content;
      std::map<std::string, int> objects;
      for (const char* name : {"x", "y", "z"}) {
        const int what = static_cast<int>(random() % 6);
        if (what == 0) {
          content.objects.push_back(Unusable(name));
          if (files[file].contains(name)) objects[name] = files[file][name];
        } else if (what < 4) {
          content.objects.push_back(Object1(name, static_cast<uint16_t>(what)));
          objects[name] = what;
        }
      }
      set_.Set(file, std::move(content));
      files[file] = objects;
    }
    for (const auto& [name, port] : Changes()) {
      told.erase(name);
      if (port != 0) told[name] = port;
    }
    std::map<std::string, int> expected;
    size_t waiting = 0;
    for (const auto& [name, objects] : files) {
      for (const auto& object : objects) waiting += expected.insert(object).second ? 0 : 1;
    }
    ASSERT_EQ(told, expected) << "round " << round;
    // Every one that waits is reported.
    size_t reported = 0;
    for (const auto& [name, objects] : files) {
      set_.Fail(name, "");
      reported += set_.Take().problems[name].size() - 1;
    }
    ASSERT_EQ(reported, waiting) << "round " << round;
  }
}

}  // namespace
}  // namespace shunt
