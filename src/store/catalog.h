// Definitions of tables: what is allowed, how they are kept, how they may change.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "store/store.h"

namespace millrace::store {

// Keys under table id 0, which no table has.
inline constexpr std::string_view kFormatKey{"\0\0\0\0\1", 5};       // value: the number as text
inline constexpr std::string_view kNextIdKey{"\0\0\0\0\2", 5};       // 4 bytes
inline constexpr std::string_view kTablePrefix{"\0\0\0\0\3", 5};     // table id -> definition
inline constexpr std::string_view kProgressPrefix{"\0\0\0\0\4", 5};  // see progress_key
inline constexpr std::string_view kDeadLetterPrefix{"\0\0\0\0\5", 5};
inline constexpr uint32_t kFormat = 1;

std::string table_key(TableId id);
// What a table's keys of these kinds begin with.
std::string progress_prefix(TableId table);
std::string dead_letter_prefix(TableId table);
// prefix | table id | topic | partition: the partition is the last 4 bytes.
void append_progress_key(std::string& to, TableId table, std::string_view topic,
                         PartitionId partition);
// prefix | table id | topic | partition | offset: the last 12 bytes are of the same length always.
std::string dead_letter_key(TableId table, std::string_view topic, PartitionId partition,
                            Offset offset);
std::string encode_progress(const Progress& progress);
Result<Progress> decode_progress(std::string_view bytes);

// Errors: kInvalid, kLimit (see Store::create_table), kUnsupported.
Result<void> validate(const TableDefinition& definition);

// A definition as the JSON that the catalog keeps. Errors: kInvalid where a text is not UTF-8.
Result<std::string> encode_definition(const TableDefinition& definition);
Result<TableDefinition> decode_definition(std::string_view json);

// Whether a table can become `wanted`: the same but for metadata and columns added at the end.
// Errors: kConflict, with words for what differs.
Result<void> check_change(const TableDefinition& now, const TableDefinition& wanted);

}  // namespace millrace::store
