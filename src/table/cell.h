// A value in a vector <-> a cell's bytes (store/store.h says how they look). Inside table/ only.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "sql/vector.h"

namespace millrace::table {

// Appends the cell of a value that is not null.
void append_cell(const sql::VectorView& column, size_t row, std::string& to);

// Writes a cell's value into row `row`; texts are borrowed from `cell`. Errors: kCorrupt.
Result<void> from_cell(std::string_view cell, sql::VectorWriter& writer, size_t row);

}  // namespace millrace::table
