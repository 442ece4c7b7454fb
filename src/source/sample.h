// sample://randomuser: an HTTP API's answers, made here.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace millrace::source {

// The answer to sample://randomuser/api/?results=100&seed=abc&page=2, in the shape of the Random
// User API v1.4: {"results":[…],"info":{"seed":…,"results":100,"page":2,"version":"1.4"}}.
//
//   results  1 to 5000, default 1        gender  male or female
//   page     from 1, default 1           nat     nationalities: us,ua,ir
//   seed     any text; without it a random one, told in `info`
//   inc exc  fields to write, or to leave out: name,login   noinfo  leaves out `info`
//   format   json, nothing else
//
// The same URL with a seed gives the same bytes on every machine and in every version of the
// same name lists; a page's users do not depend on inc, exc or noinfo. Ages are those of
// 2026-01-01. People, places and digests are invented; pictures are links to randomuser.me.
// The traps of the real API are kept: `postcode` is a string in CA, GB, NL and NO and a number
// elsewhere, `id.value` is null in IR, NZ, TR and UA, coordinates are strings.
//
// Differences: a parameter out of its range is refused where the real API takes its default;
// unknown parameters are ignored by both.
// Errors: kNotFound for another host or path, kInvalid for a parameter, kUnsupported for a format
// or version. Any thread.
Result<std::string> sample_response(std::string_view url);

// The same, appended to `to`; on an error `to` is as before.
Result<> append_sample_response(std::string_view url, std::string& to);

}  // namespace millrace::source
