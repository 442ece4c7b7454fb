// JSON texts taken apart without changing a byte of the parts: an answer's numbers may have more
// digits than a double.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace millrace::cli {

// Readable bytes that stand behind a text given to JsonSlicer.
inline constexpr size_t kJsonPadding = 64;

// Belongs to one thread. Errors: kCorrupt, where a text is not what is asked for.
class JsonSlicer {
 public:
  JsonSlicer();
  ~JsonSlicer();

  // The texts of an array's elements; views into `array`.
  Result<std::vector<std::string_view>> elements(std::string_view array);
  // Those of an array that is an object's member.
  Result<std::vector<std::string_view>> elements(std::string_view object, std::string_view name);
  // The text of an object's member; "null" where it has none of that name.
  Result<std::string_view> member(std::string_view object, std::string_view name);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// The content of a JSON string; any other text as it is.
std::string content_of(std::string_view json);
// The same value over several lines, indented by two.
std::string indented(std::string_view json);

}  // namespace millrace::cli
