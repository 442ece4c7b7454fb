#include "io/os_error.h"

#include <cerrno>

namespace millrace::io {
namespace {

std::string_view advice(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "; make room on that disk";
    case EACCES:
    case EPERM:
      return "; let the user that runs this have it";
    case EROFS:
      return "; choose a folder on a disk that can be written";
    case EMFILE:
      return "; raise the limit of open files (ulimit -n)";
    case EIO:
      return "; the device may be failing, see the kernel's log";
    default:
      return "";
  }
}

}  // namespace

std::unexpected<Error> os_error(std::string_view doing, std::string_view path, int error_number) {
  return fail(error_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot {} {}: {}{}",
              doing, path, errno_text(error_number), advice(error_number));
}

}  // namespace millrace::io
