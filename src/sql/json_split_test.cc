#include "sql/json_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::sql {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SplitTest : public testing::Test {
 protected:
  // The items, each as a text of its own; the error's message as the only one.
  std::vector<std::string> split(std::string_view response, std::vector<std::string> path = {}) {
    memory_.reset(new char[response.size() + kJsonPadding]);
    response.copy(memory_.get(), response.size());
    std::fill_n(memory_.get() + response.size(), kJsonPadding, filler_);
    auto items = splitter_.split({memory_.get(), response.size()}, path);
    if (!items) {
      return {
          fmt::format("error: {}: {}", to_string(items.error().code()), items.error().message())};
    }
    for (auto item : *items) {
      EXPECT_GE(item.data(), memory_.get());
      EXPECT_LE(item.data() + item.size(), memory_.get() + response.size());
    }
    return {items->begin(), items->end()};
  }

  ItemSplitter splitter_;
  std::unique_ptr<char[]> memory_;
  char filler_ = '1';
};

TEST_F(SplitTest, ItemsAreTheirOwnBytes) {
  EXPECT_THAT(
      split(R"([ {"a" : [1, 2] , "b":{} } ,  "x\u0041" ,[ [ ] ] ,7 , -1.50e+3, true ,null ])"),
      ElementsAre(R"({"a" : [1, 2] , "b":{} })", R"("x\u0041")", "[ [ ] ]", "7", "-1.50e+3", "true",
                  "null"));
  EXPECT_THAT(split(R"(["]", "}", "\"", "\\"])"),
              ElementsAre(R"("]")", R"("}")", R"("\"")", R"("\\")"));
}

TEST_F(SplitTest, FollowsThePathOfKeys) {
  EXPECT_THAT(split(R"({"info":{"x":[9]},"data":{"n":1,"items":[1,2]}})", {"data", "items"}),
              ElementsAre("1", "2"));
  EXPECT_THAT(split(R"({"b":[2],"a":[1]})", {"a"}), ElementsAre("1"));
  EXPECT_THAT(split(R"({"a.b":[1],"":{" ":[2]}})", {"a.b"}), ElementsAre("1"));
  EXPECT_THAT(split(R"({"a.b":[1],"":{" ":[2]}})", {"", " "}), ElementsAre("2"));
  EXPECT_THAT(split(R"({"\u0061":[1]})", {"a"}), ElementsAre("1"));
}

TEST_F(SplitTest, AnObjectIsOneItem) {
  EXPECT_THAT(split(R"( {"a":1} )"), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(split(R"({"user": {"a":1} })", {"user"}), ElementsAre(R"({"a":1})"));
}

TEST_F(SplitTest, NullAndAnEmptyArrayAreNone) {
  EXPECT_THAT(split("[]"), IsEmpty());
  EXPECT_THAT(split(" [ ] "), IsEmpty());
  EXPECT_THAT(split(R"({"items":null})", {"items"}), IsEmpty());
  EXPECT_THAT(split(R"({"items":[]})", {"items"}), IsEmpty());
}

TEST_F(SplitTest, SaysWhatIsNotThere) {
  EXPECT_THAT(split(R"({"data":{"x":1}})", {"data", "items"}),
              ElementsAre(HasSubstr("not_found: the response cannot be read: there is no "
                                    "'data.items' in it, only x; it begins {\"data\"")));
  EXPECT_THAT(split(R"({"data":[1]})", {"data", "items"}),
              ElementsAre(HasSubstr("there is no 'data.items' in it; it begins")));
  EXPECT_THAT(split(R"({"info":{"item":1},"items":[1]})", {"item"}),
              ElementsAre(HasSubstr("there is no 'item' in it; did you mean 'items'?")));
  std::string many;
  for (char name = 'a'; name <= 'z'; ++name) many += fmt::format("\"{}{:0100}\":1,", name, 0);
  EXPECT_THAT(split("{" + many + "\"z\":1}", {"items"}),
              ElementsAre(AllOf(HasSubstr("in it, only a000"), HasSubstr("0…, …; it begins"),
                                SizeIs(testing::Lt(700U)))));
  EXPECT_THAT(split("[1]", {"items"}), ElementsAre(HasSubstr("there is no 'items' in it")));
  EXPECT_THAT(split(R"({"items":7})", {"items"}),
              ElementsAre(HasSubstr("the items are no array but 7")));
  EXPECT_THAT(split(R"({"items":"[1]"})", {"items"}),
              ElementsAre(HasSubstr("the items are no array but \"[1]\"")));
  EXPECT_THAT(split("7"), ElementsAre(HasSubstr("it is neither an object nor an array")));
  EXPECT_THAT(split("null"), ElementsAre(HasSubstr("it is neither an object nor an array")));
}

TEST_F(SplitTest, APageThatIsNoJsonIsRefused) {
  for (char filler : {'1', '"', '}', ']'}) {
    filler_ = filler;
    for (const char* page :
         {"", " ", "<html></html>", "[", "[1", "[1,", "{", R"({"items")", R"({"items":)",
          R"({"items":[1,2])", R"({"items":[1 2]})", R"({"items":[1,]})", R"({"items":[,1]})",
          R"({"items":["x]})", R"({"items":[{"a":1},{"a":2})", R"({"items":[1}})",
          R"({"items" [1]})", R"({"items":[{"a":1}])", R"({"items":["a)"})
      EXPECT_THAT(split(page, {"items"}), ElementsAre(HasSubstr("error: ")))
          << page << " before " << filler;
  }
}

TEST_F(SplitTest, BytesThatJsonDoesNotHaveAreTheirItemsError) {
  EXPECT_THAT(split("{\"ż\":[\"\xff\", \"a\nb\", {\"\xc3\":\"ż\"}]}", {"ż"}),
              ElementsAre("\"\xff\"", "\"a\nb\"", "{\"\xc3\":\"ż\"}"));
  EXPECT_THAT(split("{\"items\":[\"\xff\", \"a\nb\", {\"\xc3\":\"ż\"},\n1]}", {"items"}),
              ElementsAre("\"\xff\"", "\"a\nb\"", "{\"\xc3\":\"ż\"}", "1"));
  EXPECT_THAT(split("[\"\xff\"", {}), ElementsAre(HasSubstr("error: ")));
}

TEST_F(SplitTest, APageMayBeLarge) {
  std::string page = R"({"results":[)";
  for (int i = 0; i < 50'000; ++i) page += fmt::format("{}{{\"id\":{}}}", i == 0 ? "" : ",", i);
  auto items = split(page + "]}", {"results"});
  ASSERT_EQ(items.size(), 50'000U);
  EXPECT_EQ(items[49'999], R"({"id":49999})");
  EXPECT_THAT(split("[1]"), ElementsAre("1"));
}

}  // namespace
}  // namespace millrace::sql
