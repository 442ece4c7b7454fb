// source: what a pipeline reads from. Fetches one page of items after another from an HTTP API
// (libcurl), or from sample://randomuser, an API inside the binary that answers like the Random
// User API v1.4, so that a first run needs no internet.
//
// Called by pipeline (one Fetcher, AnswerReader, Pager, Backoff and Cursor per source) and infer
// (one Fetcher, for a sample). Leaves to others: when to fetch and how long to wait, decoding
// items, writing the cursor beside the records, counting. Promises: request_for says what to ask
// for a page, fetch asks it: one request, bounded in time (`timeout`), size (`response_max`) and
// redirects; a stop request ends it at once, even on a server that hangs. AnswerReader finds the
// items in what came, Pager says which of them are new and where to go on. The error's code says
// whether trying again may help (kUnavailable). Values of ${secret:…} go to the configured server
// only, and into no error text. What is made once per source belongs to one thread; the rest is
// pure.
#pragma once

#include "source/answer_reader.h"
#include "source/backoff.h"
#include "source/cursor.h"
#include "source/fetcher.h"
#include "source/next_address.h"
#include "source/pager.h"
#include "source/request.h"
#include "source/sample.h"
