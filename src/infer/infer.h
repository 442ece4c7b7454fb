// infer: from what an API answers to a JSON Schema of its items, a key, and a draft of a pipeline.
//
// Called by cli (infer, init). Leaves to others: asking people, writing files.
// Promises: every item that was looked at decodes under the schema, as the pipeline's decoder sees
// it; what was guessed, and on how many items, is said in words. Nothing here is needed to run a
// pipeline: what it writes is a beginning, to be read and changed.
// Threads: any, nothing is shared.
#pragma once

#include "infer/draft.h"
#include "infer/findings.h"
#include "infer/header.h"
#include "infer/sample.h"
