// The variables that tests of this room see.
#pragma once

#include <map>

#include "spec/spec.h"

namespace millrace::spec {

inline constexpr std::string_view kSecret = "hush-hush";

inline Variables test_variables() {
  auto lookup = [](std::map<std::string, std::string, std::less<>> values) {
    return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
      auto found = values.find(name);
      return found == values.end() ? std::nullopt : std::optional(found->second);
    };
  };
  return {.env = lookup({{"SET", "set"}, {"EMPTY", ""}, {"HOST", "example.com"}}),
          .secret = [](std::string_view name) -> Result<std::string> {
            if (name == "TOKEN") return std::string(kSecret);
            return fail(ErrorCode::kNotFound, "there is no secret {}", name);
          }};
}

}  // namespace millrace::spec
