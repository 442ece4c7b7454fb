// door/http: the JSON API, on the Unix socket DATA_DIR/api.sock.
//
// Api answers requests: what a data directory holds and what runs on it, as JSON. Server brings it
// requests by HTTP/1.1. The commands of the binary use both: through the socket where a pipeline
// runs, without a Server where none does, so that an answer is made in one place.
//
// Called by cli. Leaves to others: everything that an answer is about (pipeline), who may connect
// (the socket belongs to the user who started the pipeline, mode 0600).
// Promises: an error is {"error":{"code":…,"message":…}} with a fitting status; unknown routes and
// parameters are told with the nearest known one; a long answer is cut and says so (truncated); no
// request waits for another's SQL; what nobody waits for any more ends, in the middle of SQL too.
// Threads: Api from any. Server has an event loop on one thread that never blocks, and pools for
// handlers, which do. Limits: limits::kApi….
#pragma once

#include "door/http/api.h"
#include "door/http/server.h"
#include "door/http/socket_path.h"
#include "door/http/target.h"
