#include "store/row.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace millrace::store {
namespace {

constexpr int64_t kNow = 1'000;

std::string packed(const Row& row) {
  std::string bytes;
  row.append_to(bytes);
  return bytes;
}

Timing at(int64_t timestamp, int64_t expiry = kNever) {
  return {.written = {timestamp}, .expiry_s = expiry};
}
Cell cell(uint32_t column, int64_t timestamp, std::string_view bytes, int64_t expiry = kNever) {
  return {.column = column, .tombstone = false, .timing = at(timestamp, expiry), .bytes = bytes};
}
Cell tombstone(uint32_t column, int64_t timestamp, int64_t forget = kNever) {
  return {.column = column, .tombstone = true, .timing = at(timestamp, forget), .bytes = {}};
}

// Cells as text: "1=a 2=x", live ones only.
std::string shown(const Row& row) {
  if (!row.live(kNow)) return "absent";
  std::string text;
  for (const auto& c : row.cells)
    if (!c.tombstone && c.timing.live(kNow))
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", c.column, c.bytes);
  return text;
}

TEST(Row, AnUpsertParsesAsItsCells) {
  std::string bytes;
  append_upsert_header(bytes, at(5));
  append_cell(bytes, 1, "");
  append_cell(bytes, 300, std::string(5000, 'x'));
  EXPECT_EQ(bytes[0], kPlainRow);
  Row row;
  ASSERT_TRUE(row.parse(bytes));
  ASSERT_EQ(row.cells.size(), 2u);
  EXPECT_EQ(row.cells[1].column, 300u);
  EXPECT_EQ(row.cells[1].bytes.size(), 5000u);
  EXPECT_EQ(packed(row), bytes);
  std::string seen;
  EXPECT_TRUE(for_plain_cells(bytes, [&](uint64_t column, std::string_view b) {
    seen += fmt::format("{}:{} ", column, b.size());
  }));
  EXPECT_EQ(seen, "1:0 300:5000 ");
}

TEST(Row, BytesThatAreCutAreNoRowOrAShorterOne) {
  Row row;
  row.marker = at(5, 70);
  row.deletion = at(3, 80);
  row.cells = {cell(1, 5, "abc", 70), tombstone(2, 4, 90), cell(9, 5, "")};
  std::string bytes = packed(row);
  Row back;
  ASSERT_TRUE(back.parse(bytes));
  EXPECT_EQ(packed(back), bytes);
  EXPECT_EQ(back.cells[1].timing, row.cells[1].timing);
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_TRUE(!back.parse(bytes.substr(0, cut)) || back.cells.size() < 3) << cut;
  EXPECT_FALSE(back.parse("\x20"));
}

TEST(Row, ATombstoneAtTheBaseTimingIsNoPlainRow) {
  Row row;
  row.marker = at(5);
  row.cells = {tombstone(1, 5)};
  EXPECT_NE(packed(row)[0], kPlainRow);
  EXPECT_TRUE(row.live(kNow));
}

TEST(Reconcile, PerCellTheHighestTimestampThenATombstoneThenTheLaterWrite) {
  Row older;
  Row newer;
  older.cells = {cell(1, 9, "old"), cell(2, 5, "old"), tombstone(3, 5), cell(4, 5, "old"),
                 cell(5, 1, "old")};
  newer.cells = {cell(1, 8, "new"), cell(2, 5, "new"), cell(3, 5, "new"), tombstone(4, 5),
                 cell(6, 1, "new")};
  EXPECT_EQ(shown(reconcile(older, newer)), "1=old 2=new 5=old 6=new");
}

TEST(Reconcile, ADeletionCoversItsTimeAndLowerOnesWheneverTheyWereWritten) {
  Row deletion;
  deletion.deletion = at(5);
  Row row;
  row.marker = at(5);
  row.cells = {cell(1, 5, "gone"), cell(2, 6, "stays")};
  EXPECT_EQ(shown(reconcile(row, deletion)), "2=stays");
  EXPECT_EQ(shown(reconcile(deletion, row)), "2=stays");
  row.cells.pop_back();
  EXPECT_EQ(shown(reconcile(row, deletion)), "absent");
  EXPECT_EQ(shown(reconcile(deletion, row)), "absent");
  row.cells[0].timing.written.place.offset = Offset(1);
  EXPECT_EQ(shown(reconcile(row, deletion)), "1=gone");
  EXPECT_EQ(shown(reconcile(deletion, row)), "1=gone");
}

TEST(Reconcile, AnExpiredCellHidesOlderOnesUntilItIsForgotten) {
  Row older;
  older.cells = {cell(1, 1, "old")};
  Row newer;
  newer.cells = {cell(1, 2, "new", kNow)};
  Row row = reconcile(older, newer);
  EXPECT_EQ(shown(row), "absent");
  row.forget_expired(kNow);
  EXPECT_TRUE(row.empty());
}

// Any grouping of the writes gives the same row, as compactions choose it.
TEST(Reconcile, IsAssociative) {
  std::mt19937 random(7);
  auto any_time = [&] {
    Timing timing = at(static_cast<int64_t>(random() % 2));
    timing.written.place.offset = Offset(static_cast<int64_t>(random() % 2));
    if (random() % 2 == 0) timing.written.place.dead_letter = static_cast<int64_t>(random() % 2);
    return timing;
  };
  auto any_row = [&] {
    Row row;
    if (random() % 2 == 0) row.marker = any_time();
    if (random() % 4 == 0) row.deletion = any_time();
    for (uint32_t column = 0; column < 4; ++column) {
      if (random() % 3 == 0) continue;
      constexpr std::string_view kValues[] = {"a", "b", "c"};
      Timing time = any_time();
      bool tombstone = random() % 4 == 0;
      row.cells.push_back({column, tombstone, time, tombstone ? "" : kValues[random() % 3]});
    }
    Row none;
    return reconcile(none, row);
  };
  for (int i = 0; i < 20'000; ++i) {
    Row a = any_row();
    Row b = any_row();
    Row c = any_row();
    ASSERT_EQ(packed(reconcile(reconcile(a, b), c)), packed(reconcile(a, reconcile(b, c)))) << i;
  }
}

}  // namespace
}  // namespace millrace::store
