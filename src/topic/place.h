// The places of records that were taken later than they came, as text in headers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/place.h"
#include "record/record.h"

namespace millrace::topic {

// Of a record that does not stand at its own offset: "OFFSET/DEAD_LETTER". Of an item that a source
// refused: for each partition of its topic the offset of the record before which it would have
// stood there, "120,64,99".
inline constexpr std::string_view kPlaceHeader = "millrace.place";

std::string to_text(Place place);
std::string to_text(std::span<const Offset> before);
// Errors: kCorrupt.
Result<Place> parse_place(std::string_view text);
Result<std::vector<Offset>> parse_before(std::string_view text);

// The text that a record has; "" where it stands at its offset. Errors: kCorrupt.
Result<std::string_view> place_text(const record::RecordView& record);
Result<Place> place_of(const record::RecordView& record);

}  // namespace millrace::topic
