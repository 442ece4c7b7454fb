// base: what every room speaks. Errors as values, checks, strong ids, big-endian bytes, CRC32C,
// base64, UUIDs, calendar time as text, the process's limits, and the logger.
//
// Called by every room; calls none. Nothing here blocks (the logger writes one line to stderr),
// nothing throws, nothing is global: the one Logger is made in cli/ and handed down.
//
// Promises: Result<T> carries what the world can do to us; MR_CHECK ends the process on what only
// a bug can do. Byte order of every number on disk or wire is named in the function that writes it.
// Functions are safe from any thread unless a comment says otherwise.
#pragma once

#include "base/base64.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/logger.h"
#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"
