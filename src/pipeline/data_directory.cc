#include "pipeline/data_directory.h"

#include <charconv>

#include "base/text.h"

namespace millrace::pipeline {
namespace {

constexpr std::string_view kFormatBegin = "millrace data directory, format ";
constexpr int kFormat = 1;
constexpr size_t kFormatBytesMax = 1'000;

std::string format_text() {
  return fmt::format("{}{}\n", kFormatBegin, kFormat);
}

// -1: that is none.
int format_of(std::string_view text) {
  int format = -1;
  if (!text.starts_with(kFormatBegin)) return format;
  text.remove_prefix(kFormatBegin.size());
  std::from_chars(text.data(), text.data() + text.size(), format);
  return format;
}

}  // namespace

Result<void> DataDirectory::check_format() const {
  if (!MR_TRY(exists()))
    return fail(ErrorCode::kNotFound,
                "there is no data in {}: 'millrace up FILE' makes it, --data-dir names another "
                "place",
                path_);
  auto found = MR_TRY(disk_->read_file(format_file(), kFormatBytesMax));
  if (found == format_text()) return {};
  if (format_of(found) > kFormat)
    return fail(ErrorCode::kConflict,
                "the data directory {} has format {} and is from a newer version of millrace, this "
                "one reads format {}: use the newer version, or another --data-dir",
                path_, format_of(found), kFormat);
  return fail(ErrorCode::kConflict,
              "{} says '{}': this data directory is from another version of millrace; use that "
              "version, or another --data-dir",
              format_file(), excerpt(found, 80));
}

Result<io::DirectoryLock> DataDirectory::lock(std::chrono::milliseconds wait) const {
  MR_TRY(check_format());
  return io::DirectoryLock::acquire(*disk_, path_, wait);
}

Result<io::DirectoryLock> DataDirectory::make_and_lock(std::chrono::milliseconds wait) const {
  MR_TRY(disk_->make_directories(path_));
  auto locked = MR_TRY(io::DirectoryLock::acquire(*disk_, path_, wait));
  if (!MR_TRY(exists())) MR_TRY(disk_->write_file_atomic(format_file(), format_text()));
  MR_TRY(check_format());
  return locked;
}

}  // namespace millrace::pipeline
