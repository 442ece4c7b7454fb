// rehearsal: runs the tests of a pipeline file, as `millrace test` and lint's look at them need it.
//
// A test's items go through the source's SELECT, what comes out through the table's SELECT,
// expectations and primary-key rule: the Transforms that the pipeline itself would run, in memory.
// Rows of a table are then as the table would have them: the later row of a key updates the
// earlier, NULL leaves a column as it was.
//
// Called by cli. Leaves to others: reading tests (spec), compiling SQL (pipeline's Plan), how
// differences look (cli).
// Promises: no file, no network, no thread, nothing left behind; values are compared as their
// column's type has them, so that two spellings of one moment are equal. A dead letter that a test
// does not want is a difference, as a missing or a superfluous row is.
#pragma once

#include "rehearsal/outcome.h"
#include "rehearsal/stage.h"
