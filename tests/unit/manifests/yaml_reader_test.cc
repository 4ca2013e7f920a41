// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/manifests/yaml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace shunt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The value of key "a" of each document; "LINE: message" where reading fails.
std::vector<std::string> ReadAll(const std::string& text) {
  std::vector<std::string> values;
  YamlReader reader(text);
  while (true) {
    const absl::StatusOr<YamlReader::Step> step = reader.Next();
    if (!step.ok()) {
      values.push_back(absl::StrCat(reader.line(), ": ", step.status().message()));
      return values;
    }
    if (*step == YamlReader::Step::kEnd) return values;
    if (*step == YamlReader::Step::kItem) {
      const YamlNode* value = reader.item()->Find("a");
      values.push_back(value == nullptr ? "-" : value->text);
    } else {
      const YamlNode* value = reader.root()->Find("a");
      values.push_back(value == nullptr ? "none" : value->text);
    }
  }
}

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(YamlReader, ReadsSeveralDocumentsAndJson) {
  EXPECT_THAT(ReadAll("a: 1\n---\na: '2'\n---\n---\n# only a comment\n"),
              ElementsAre("1", "2", "none", "none"));
  EXPECT_THAT(ReadAll("{\"a\":\"x\\ty\",\t\"b\":[1,2]}"), ElementsAre("x\ty"));
  EXPECT_THAT(ReadAll(""), IsEmpty());
  EXPECT_THAT(ReadAll("\xef\xbb\xbf"
                      "a: 1\n"),
              ElementsAre("1"));
}

TEST(YamlReader, HandsOverTheItemsOfAListOneByOne) {
  EXPECT_THAT(ReadAll("items:\n- a: 1\n- a: 2\nkind: List\na: 3\n"), ElementsAre("1", "2", "3"));
}

TEST(YamlReader, AnItemMayReferToAnEarlierOne) {
  EXPECT_THAT(ReadAll("items:\n- &x {a: 1, b: {a: 5}}\n- *x\n- <<: *x\n- {<<: *x, a: 4}\n"),
              ElementsAre("1", "1", "1", "4", "none"));
}

TEST(YamlReader, OfTwoEqualKeysTheLastCounts) {
  EXPECT_THAT(ReadAll("a: 1\na: 2\n"), ElementsAre("2"));
}

TEST(YamlReader, SaysWhereTheTextStopsBeingYaml) {
  EXPECT_THAT(ReadAll("a: 1\nb: [1, 2\nc: 3\n"), ElementsAre(HasSubstr("not YAML")));
  EXPECT_THAT(ReadAll("a: 1\nb: c: d\n"), ElementsAre(HasSubstr("2: not YAML")));
  EXPECT_THAT(ReadAll("a: 1\n\tb: 2\n"), ElementsAre(HasSubstr("2: not YAML")));
}

TEST(YamlReader, SaysWhereBytesAreNoText) {
  EXPECT_THAT(ReadAll(std::string("a: 1\nb: x\0y\n", 12)), ElementsAre(HasSubstr("2: not a text")));
  EXPECT_THAT(ReadAll("a: 1\nb: 2\nc: \xff\xfe\n"), ElementsAre(HasSubstr("3: not a text")));
  EXPECT_THAT(ReadAll("a: \xed\xa0\x80\n"), ElementsAre(HasSubstr("1: not a text")));
  EXPECT_THAT(ReadAll("a: \x04\n"), ElementsAre(HasSubstr("1: not a text")));
}

TEST(YamlReader, AnAliasMayNotContainItself) {
  EXPECT_THAT(ReadAll("a: &x [1, *x]\n"), ElementsAre(HasSubstr("contains itself")));
  EXPECT_THAT(ReadAll("&x {a: {b: *x}}\n"), ElementsAre(HasSubstr("contains itself")));
  EXPECT_THAT(ReadAll("a: *nowhere\n"), ElementsAre(HasSubstr("1: ")));
}

TEST(YamlReader, ABillionLaughsAreRefusedAtOnce) {
  std::string text = "x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = absl::StrCat("*x", i - 1);
    absl::StrAppend(&text, "x", i, ": &x", i, " [", alias, Repeat(", " + alias, 8), "]\n");
  }
  EXPECT_THAT(ReadAll(text), ElementsAre(HasSubstr("aliases stand for more than")));
}

TEST(YamlReader, LongChainsOfAliasesAreAsDeepAsTheyAre) {
  std::string text = "- &x0 {a: 1}\n";
  for (int i = 1; i < 1000; ++i) {
    absl::StrAppend(&text, "- &x", i, " {<<: *x", i - 1, "}\n");
  }
  EXPECT_THAT(ReadAll(text), ElementsAre(HasSubstr("levels deep")));
}

TEST(YamlReader, DeepNestingIsRefusedWithoutAStackOverflow) {
  for (const std::string& text :
       {Repeat("[", 1'000'000), Repeat("{a: ", 500'000), Repeat("- ", 500'000),
        Repeat("? ", 200'000), "a: " + Repeat("[", 64) + Repeat("]", 64)}) {
    EXPECT_THAT(ReadAll(text),
                ElementsAre(testing::AnyOf(HasSubstr("levels deep"), HasSubstr("not YAML"))))
        << text.substr(0, 10);
  }
  EXPECT_THAT(ReadAll("a: 1\nb: " + Repeat("[", 60) + Repeat("]", 60)), ElementsAre("1"));
}

TEST(YamlReader, AnObjectOfMillionsOfValuesIsRefused) {
  EXPECT_THAT(ReadAll("a: [" + Repeat("x,", 1'100'000) + "]"), ElementsAre(HasSubstr("more than")));
}

TEST(YamlReader, AListOfManyObjectsIsNotOneBigObject) {
  const std::vector<std::string> values =
      ReadAll("items:\n" + Repeat("- {b: 1, c: [1, 2]}\n", 250'000));
  EXPECT_EQ(values.size(), 250'001u);
}

}  // namespace
}  // namespace shunt
