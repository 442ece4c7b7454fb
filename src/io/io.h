// io: disks and clocks, and the only room that asks the operating system for them. Files with
// positioned reads and writes, the folder operations that make a file's name durable, the lock
// that keeps a second process out of a folder. Each has a twin for tests: a clock that is turned
// by hand, and a disk in memory that crashes, fills up and fails by a seed.
//
// Called by every room that keeps something on disk or waits. Leaves to others: what the bytes
// mean, and what to do about an error.
//
// Promises: an error's text says what was being done, to which path, the system's own words, and
// where a person can help, how. Nothing is durable before sync_data() or sync_directory() says so.
// New files are readable by their owner only (0600), new folders likewise (0700).
// Every call blocks. Safe from any thread, except that a File's open and close belong to its owner.
#pragma once

#include "io/clock.h"
#include "io/directory_lock.h"
#include "io/disk.h"
#include "io/file.h"
#include "io/folder.h"
