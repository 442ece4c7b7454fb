// pipeline: runs a pipeline file on a data directory. One thread for each source (fetch, select,
// append) and one for each table (read, select, commit); what they cannot take goes to dead-letter
// topics; and the numbers that prove that nothing was skipped.
//
// Called by cli (to run) and the doors (to look). Leaves to others: reading the file (spec), SQL,
// the engines, how numbers are shown.
// Promises: a page's rows and the source's cursor are one write, a batch's rows and the table's
// offset are one write, dead letters are on disk before the offset moves past them and once only.
// For every table, at any moment: records in = written + filtered + dead letters + waiting.
// An error of one node stops no other; it is tried again and told in the status.
// Threads: an Instance from any thread; it owns the nodes' threads.
#pragma once

#include "pipeline/dead_letter_list.h"
#include "pipeline/dead_letters.h"
#include "pipeline/inspect.h"
#include "pipeline/instance.h"
#include "pipeline/plan.h"
#include "pipeline/redrive.h"
#include "pipeline/status.h"
