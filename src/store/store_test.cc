#include "store/store.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "store/key.h"
#include "store/rocks.h"
#include "store/test_store.h"
#include "store/token.h"

namespace millrace::store {
namespace {

using schema::Kind;

TableDefinition readings() {
  return {.keyspace = "test",
          .name = "readings",
          .columns = {column("city", Kind::kVarchar), column("station", Kind::kVarchar),
                      column("at", Kind::kBigInt), column("kind", Kind::kVarchar),
                      column("value", Kind::kVarchar)},
          .partition_key = {"city", "station"},
          .clustering_key = {"at", "kind"},
          .metadata = ""};
}

TEST_F(StoreTest, OpenDeadLettersAreWrittenWithProgressAndListedInOrder) {
  auto table = *store_->create_table(people());
  auto open_in = [&](std::string_view topic, int32_t partition) {
    std::vector<int64_t> offsets;
    for (Offset from(0);; from = Offset(offsets.back() + 1)) {
      auto next = *store_->open_dead_letters(*table, topic, PartitionId(partition), from, 2);
      if (next.empty()) return offsets;
      for (auto offset : next) offsets.push_back(offset.value);
    }
  };
  for (int64_t offset : {300, 2, 70'000})
    batch_.open_dead_letter(*table, "a", PartitionId(0), Offset(offset));
  batch_.open_dead_letter(*table, "a", PartitionId(1), Offset(5));
  batch_.open_dead_letter(*table, "ab", PartitionId(0), Offset(6));
  batch_.set_progress(*table, "a", PartitionId(0), {.next = Offset(9), .dead_letters = 3});
  commit();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(open_in("a", 0), (std::vector<int64_t>{2, 300, 70'000}));
    EXPECT_EQ(open_in("a", 1), std::vector<int64_t>{5});
    EXPECT_EQ(open_in("ab", 0), std::vector<int64_t>{6});
    EXPECT_TRUE(open_in("b", 0).empty());
    reopen();
    table = store_->find_table("test", "people");
  }
  batch_.close_dead_letter(*table, "a", PartitionId(0), Offset(300));
  batch_.set_progress(*table, "a", PartitionId(0),
                      {.next = Offset(9), .written = 1, .dead_letters = 2, .redriven = 1});
  commit();
  reopen();
  table = store_->find_table("test", "people");
  EXPECT_EQ(open_in("a", 0), (std::vector<int64_t>{2, 70'000}));
  EXPECT_EQ((*store_->progress(*table, "a", PartitionId(0)))->redriven, 1);
}

TEST_F(StoreTest, RowsAreThereAgainAfterReopening) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "Zoë", "");
  put_person(table, -1, std::nullopt, std::string(3 << 20, 'x'));
  batch_.set_progress(*table, "people", PartitionId(3),
                      {.next = Offset(17), .written = 2, .filtered = 3, .dead_letters = 4});
  commit();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(person(table, 1), std::vector<std::string>{"Zoë||-"});
    EXPECT_EQ(person(table, -1), std::vector<std::string>{"-|" + std::string(3 << 20, 'x') + "|-"});
    EXPECT_TRUE(person(table, 2).empty());
    EXPECT_EQ(count(table), 2);
    auto progress = *store_->progress(*table, "people", PartitionId(3));
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->next, Offset(17));
    EXPECT_EQ(progress->dead_letters, 4);
    EXPECT_FALSE(*store_->progress(*table, "people", PartitionId(2)));
    EXPECT_FALSE(*store_->progress(*table, "peopl", PartitionId(3)));
    reopen();
    table = store_->find_table("test", "people");
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->definition().metadata, "{}");
  }
}

TEST_F(StoreTest, AbsentValuesLeaveOlderOnesAndTheHigherTimestampWins) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "first", "a@x", {5});
  put_person(table, 1, std::nullopt, "b@x", {6});
  commit();
  put_person(table, 1, "too old", "c@x", {4});
  put_person(table, 1, "a tie: the later write", std::nullopt, {5});
  commit();
  const std::vector<std::string> wanted = {"a tie: the later write|b@x|-"};
  EXPECT_EQ(person(table, 1), wanted);
  constexpr uint32_t kColumns[] = {0, 2, 3};
  EXPECT_EQ(rows_of(store_->scan(table, kColumns), 3), wanted);
  ASSERT_TRUE(store_->flush());
  put_person(table, 1, "too old", "too old", {2});
  commit();
  EXPECT_EQ(person(table, 1), wanted);
  reopen();
  EXPECT_EQ(person(table, 1), wanted);
  EXPECT_EQ(count(table), 1);
}

TEST_F(StoreTest, WithinOneTimestampTheLaterRecordWinsWheneverItIsWritten) {
  auto table = *store_->create_table(people());
  constexpr int64_t kLarge = int64_t{1} << 61;
  const std::vector<Place> places = {
      {Offset(0), 3},  {Offset(0), 70'000}, {Offset(0)},   {Offset(1), 2},
      {Offset(1)},     {Offset(300), 0},    {Offset(300)}, {Offset(kLarge), kLarge},
      {Offset(kLarge)}};
  for (size_t first = 0; first < places.size(); ++first) {
    for (size_t second = 0; second < places.size(); ++second) {
      auto id = static_cast<int64_t>(first * places.size() + second);
      put_person(table, id, "first", "kept", {5, places[first]});
      commit();
      ASSERT_TRUE(id % 4 != 0 || store_->flush());
      put_person(table, id, "second", std::nullopt, {5, places[second]});
      commit();
      const std::string_view wanted = second < first ? "first|kept|-" : "second|kept|-";
      EXPECT_EQ(person(table, id), std::vector<std::string>{std::string(wanted)});
      // A higher timestamp wins from any place.
      put_person(table, id, "third", std::nullopt, {6, places[second]});
      put_person(table, id, "too old", "too old", {4, places[first]});
      commit();
      EXPECT_EQ(person(table, id), std::vector<std::string>{"third|kept|-"});
    }
  }
  EXPECT_EQ(count(table), static_cast<int64_t>(places.size() * places.size()));
}

TEST_F(StoreTest, OneBatchKeepsTheOrderOfUpsertsOfAKey) {
  auto table = *store_->create_table(people());
  for (int i = 0; i < 1000; ++i) put_person(table, i % 7, std::to_string(i), std::nullopt);
  commit();
  for (int id = 0; id < 7; ++id)
    EXPECT_EQ(person(table, id)[0], fmt::format("{}|-|-", 993 + (id + 7 - 993 % 7) % 7));
}

TEST_F(StoreTest, ClusteringColumnsOrderAPartitionAndAPrefixReadsPartOfIt) {
  auto table = *store_->create_table(readings());
  auto put = [&](const char* city, int64_t at, std::string_view kind, const char* value) {
    auto time = bigint(at);
    const CellValue values[] = {city, "", time, kind, value};
    ASSERT_TRUE(batch_.upsert(*table, values, {1}));
  };
  put("Delft", 5, "t", "3");
  put("Delft", -5, "t", "1");
  put("Delft", 5, "", "2");
  put("Delft", 5, "t2", "4");
  put("Delft", 6, "t", "5");
  put("Delftse", 5, "t", "other");
  commit();
  constexpr uint32_t kColumns[] = {4, 3, 0};
  auto read = [&](std::initializer_list<std::string_view> key) {
    return rows_of(store_->read(table, kColumns, {key.begin(), key.size()}), 3);
  };
  using Rows = std::vector<std::string>;
  EXPECT_EQ(read({"Delft", ""}),
            (Rows{"1|t|Delft", "2||Delft", "3|t|Delft", "4|t2|Delft", "5|t|Delft"}));
  EXPECT_EQ(read({"Delft", "", bigint(5)}), (Rows{"2||Delft", "3|t|Delft", "4|t2|Delft"}));
  EXPECT_EQ(read({"Delft", "", bigint(5), "t"}), Rows{"3|t|Delft"});
  EXPECT_EQ(read({"Delft", "x"}), Rows{});
  EXPECT_FALSE(store_->read(table, kColumns, std::array<std::string_view, 1>{"Delft"}));
}

TEST_F(StoreTest, AnAbsentOrEmptyKeyIsRefusedAndTheBatchUnchanged) {
  auto table = *store_->create_table(people());
  auto by_name = people("by_name");
  by_name.partition_key = {"name"};
  auto named = *store_->create_table(by_name);
  put_person(table, 1, "a", "a");
  size_t size = batch_.size_bytes();
  const CellValue no_key[] = {"a", std::nullopt, "a", "a"};
  EXPECT_EQ(batch_.upsert(*table, no_key, {1}).error().code(), ErrorCode::kInvalid);
  const CellValue short_key[] = {"a", "1234", "a", "a"};
  EXPECT_EQ(batch_.upsert(*table, short_key, {1}).error().code(), ErrorCode::kInvalid);
  const CellValue empty_key[] = {"", "12345678", "a", "a"};
  EXPECT_EQ(batch_.upsert(*named, empty_key, {1}).error().code(), ErrorCode::kInvalid);
  std::string long_name(kComponentBytesMax + 1, 'x');
  const CellValue long_key[] = {long_name, "12345678", "a", "a"};
  EXPECT_EQ(batch_.upsert(*named, long_key, {1}).error().code(), ErrorCode::kLimit);
  EXPECT_EQ(batch_.size_bytes(), size);
  EXPECT_EQ(batch_.row_count(), 1u);
  commit();
  EXPECT_EQ(count(table), 1);
}

TEST_F(StoreTest, ScansSeeTheirTableOnly) {
  std::vector<TablePtr> tables;
  for (const char* name : {"a", "b", "c"}) tables.push_back(*store_->create_table(people(name)));
  for (int i = 0; i < 100; ++i)
    for (size_t t = 0; t < 3; ++t)
      if (i % static_cast<int>(t + 1) == 0) put_person(tables[t], i, "x", std::nullopt);
  commit();
  EXPECT_EQ(count(tables[0]), 100);
  EXPECT_EQ(count(tables[1]), 50);
  EXPECT_EQ(count(tables[2]), 34);
  EXPECT_EQ(store_->tables().size(), 3u);
}

TEST_F(StoreTest, TokenRangesCoverEachRowOnce) {
  auto table = *store_->create_table(people());
  std::vector<int64_t> tokens;
  for (int64_t id = 0; id < 500; ++id) {
    put_person(table, id, "x", std::nullopt);
    tokens.push_back(murmur3_token(bigint(id)));
  }
  commit();
  std::ranges::sort(tokens);
  EXPECT_EQ(count(table), 500);
  EXPECT_EQ(count(table, {.after = tokens[9], .up_to = tokens[10]}), 1);
  EXPECT_EQ(count(table, {.after = tokens[9], .up_to = tokens[9]}), 0);
  EXPECT_EQ(count(table, {.after = INT64_MIN, .up_to = tokens[0]}), 1);
  EXPECT_EQ(count(table, {.after = INT64_MIN, .up_to = tokens[0] - 1}), 0);
  EXPECT_EQ(count(table, {.after = tokens.back() - 1, .up_to = INT64_MAX}), 1);
  EXPECT_EQ(count(table, {.after = INT64_MAX, .up_to = INT64_MAX}), 0);
  EXPECT_EQ(count(table, {.after = INT64_MIN, .up_to = INT64_MIN}), 0);
  int64_t sum = 0;
  int64_t after = INT64_MIN;
  for (size_t i = 0; i < tokens.size(); i += 37) {
    sum += count(table, {.after = after, .up_to = tokens[i]});
    after = tokens[i];
  }
  EXPECT_EQ(sum + count(table, {.after = after}), 500);
}

TEST_F(StoreTest, AScanStaysAsOfItsBeginning) {
  auto table = *store_->create_table(people());
  for (int i = 0; i < 10; ++i) put_person(table, i, "x", std::nullopt);
  commit();
  auto scan = store_->scan(table, {});
  for (int i = 0; i < 20; ++i) put_person(table, i, "y", std::nullopt);
  commit();
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(rows_of(std::move(scan), 0).size(), 10u);
  EXPECT_EQ(count(table), 20);
}

TEST_F(StoreTest, TablesAreRefusedForTheirNamesAndKeys) {
  auto code = [&](auto change) {
    auto definition = people();
    change(definition);
    auto made = store_->create_table(definition);
    return made ? "made" : std::string(to_string(made.error().code()));
  };
  const std::string invalid(to_string(ErrorCode::kInvalid));
  EXPECT_EQ(code([](auto& d) { d.name = ""; }), invalid);
  EXPECT_EQ(code([](auto& d) { d.name = "1a"; }), invalid);
  EXPECT_EQ(code([](auto& d) { d.name = std::string(49, 'a'); }), invalid);
  EXPECT_EQ(code([](auto& d) { d.keyspace = "a.b"; }), invalid);
  EXPECT_EQ(code([](auto& d) { d.partition_key = {}; }), invalid);
  EXPECT_EQ(code([](auto& d) { d.partition_key = {"idd"}; }), invalid);
  EXPECT_EQ(code([](auto& d) { d.clustering_key = {"id"}; }), invalid);
  EXPECT_EQ(code([](auto& d) { d.columns[1] = column("id", Kind::kStruct); }), invalid);
  EXPECT_EQ(code([](auto& d) { d.columns.push_back(column("id", Kind::kDate)); }), invalid);
  EXPECT_EQ(code([](auto&) {}), "made");
  EXPECT_EQ(code([](auto&) {}), to_string(ErrorCode::kConflict));
}

TEST_F(StoreTest, AlteringAddsColumnsAtTheEndAndNothingElse) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "a", "b");
  commit();
  auto refused = [&](auto change) {
    auto definition = people();
    change(definition);
    auto altered = store_->alter_table(*table, definition);
    return altered ? "altered" : altered.error().message();
  };
  EXPECT_EQ(
      refused([](auto& d) { d.columns[2] = column("email", Kind::kBigInt); }),
      "table test.people: column 'email' was VARCHAR, the pipeline file says BIGINT; give that "
      "to a table of another name, which takes all that is in the topic");
  EXPECT_NE(refused([](auto& d) { d.columns.pop_back(); }), "altered");
  EXPECT_NE(refused([](auto& d) { std::swap(d.columns[0], d.columns[2]); }), "altered");
  EXPECT_NE(refused([](auto& d) { d.partition_key = {"name"}; }), "altered");
  EXPECT_NE(refused([](auto& d) { d.clustering_key = {"name"}; }), "altered");

  auto wider = people();
  wider.columns.push_back(column("phone", Kind::kVarchar));
  wider.metadata = "{\"from\": 2}";
  auto altered = store_->alter_table(*table, wider);
  ASSERT_TRUE(altered) << altered.error().message();
  EXPECT_EQ((*altered)->id(), table->id());
  auto key = bigint(2);
  const CellValue values[] = {"c", key, std::nullopt, std::nullopt, "555"};
  ASSERT_TRUE(batch_.upsert(**altered, values, {1}));
  commit();
  reopen();
  table = store_->find_table("test", "people");
  EXPECT_EQ(table->definition().metadata, "{\"from\": 2}");
  constexpr uint32_t kColumns[] = {4, 0, 4};
  auto rows = rows_of(store_->scan(table, kColumns), 3);
  std::ranges::sort(rows);
  EXPECT_EQ(rows, (std::vector<std::string>{"-|a|-", "555|c|555"}));
}

TEST_F(StoreTest, ReadOnlyReadsAndRefusesToWrite) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "a", "b");
  batch_.set_progress(*table, "t", PartitionId(0), {.next = Offset(9)});
  commit();
  reopen(true);
  table = store_->find_table("test", "people");
  EXPECT_EQ(person(table, 1), std::vector<std::string>{"a|b|-"});
  EXPECT_EQ((*store_->progress(*table, "t", PartitionId(0)))->next, Offset(9));
  put_person(table, 2, "a", "b");
  EXPECT_EQ(store_->commit(batch_).error().code(), ErrorCode::kUnsupported);
  EXPECT_FALSE(store_->create_table(people("other")));
  store_.reset();
  EXPECT_EQ(Store::open(path_ + "/none", logger_, {.read_only = true}).error().code(),
            ErrorCode::kNotFound);
}

TEST_F(StoreTest, AStoreInUseIsRefusedWithItsName) {
  auto second = Store::open(folder_, logger_, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find(folder_), std::string::npos);
}

TEST_F(StoreTest, ANewerFormatIsRefused) {
  store_.reset();
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), folder_, &db).ok());
  ASSERT_TRUE(db->Put({}, rocksdb::Slice("\0\0\0\0\1", 5), "2").ok());
  delete db;
  auto opened = Store::open(folder_, logger_, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(opened.error().message().find("format 2"), std::string::npos);
}

TEST_F(StoreTest, TheFolderIsItsOwnersOnly) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  reopen();
  struct stat status = {};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(StoreTest, OldIdsAreNotUsedAgainAfterReopening) {
  auto first = *store_->create_table(people("first"));
  reopen();
  auto second = *store_->create_table(people("second"));
  EXPECT_EQ(first->id(), TableId(1));
  EXPECT_EQ(second->id(), TableId(2));
}

TEST_F(StoreTest, ManyVersionsAndCompactionsGiveTheNewest) {
  auto table = *store_->create_table(people());
  std::map<int64_t, std::pair<int64_t, std::string>> newest;
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 200; ++i) {
      auto id = static_cast<int64_t>(random() % 300);
      auto timestamp = static_cast<int64_t>(random() % 1000);
      auto name = std::to_string(random());
      put_person(table, id, name, std::nullopt, {timestamp});
      auto& now = newest[id];
      if (timestamp >= now.first) now = {timestamp, name};
    }
    commit();
    if (round % 2 == 0) {
      ASSERT_TRUE(store_->flush());
    }
  }
  auto check = [&] {
    for (const auto& [id, value] : newest)
      ASSERT_EQ(person(table, id), std::vector<std::string>{value.second + "|-|-"});
    std::vector<std::string> names;
    for (const auto& [id, value] : newest) names.push_back(value.second);
    constexpr uint32_t kName[] = {0};
    auto scanned = rows_of(store_->scan(table, kName), 1);
    std::ranges::sort(names);
    std::ranges::sort(scanned);
    EXPECT_EQ(scanned, names);
  };
  check();
  reopen();
  table = store_->find_table("test", "people");
  check();
  EXPECT_GT(store_->approximate_size(*table).bytes, 0u);
}

TEST_F(StoreTest, ManyThreadsCommitAndRead) {
  auto table = *store_->create_table(people());
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Batch batch;
      for (int64_t i = 0; i < 50; ++i) {
        for (int64_t row = 0; row < 20; ++row) {
          auto key = bigint(t * 1000 + i * 20 + row);
          const CellValue values[] = {"x", key, std::nullopt, std::nullopt};
          EXPECT_TRUE(batch.upsert(*table, values, {1}));
        }
        batch.set_progress(*table, "t", PartitionId(static_cast<int32_t>(t)), {.next = Offset(i)});
        EXPECT_TRUE(store_->commit(batch));
        auto scan = store_->scan(table, {});
        EXPECT_TRUE(scan && *scan->next());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count(table), 4000);
}

}  // namespace
}  // namespace millrace::store
