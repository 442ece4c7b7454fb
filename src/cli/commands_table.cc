// table rebuild: empties a table, so that the next run reads its topic again.
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/confirm.h"
#include "io/io.h"
#include "pipeline/table_rebuild.h"

namespace millrace::cli {
namespace {

struct Wish {
  std::string table;
  bool all = false;
  bool yes = false;
};

Result<int> rebuild(Session& session, const Wish& wish) {
  if (wish.table.empty() != wish.all)
    return fail(ErrorCode::kInvalid, "name one table, KEYSPACE.TABLE, or --all");
  pipeline::DataDirectory directory(io::system_disk(), session.data_dir());
  auto lock = MR_TRY(directory.lock());
  Logger logger(LogFormat::kText, LogLevel::kError);
  io::SystemClock clock;
  auto plan = MR_TRY(pipeline::TableRebuild::plan(directory, wish.table, logger, clock));
  MR_TRY(confirm(session, plan.words(), wish.yes));
  MR_TRY(plan.carry_out());
  if (session.format() == Format::kJson)
    MR_TRY(session.out().write(nlohmann::json{{"did", plan.words()}}.dump() + "\n"));
  session.note("done: the next 'millrace up FILE' fills it");
  return 0;
}

}  // namespace

void add_table_commands(Commands& commands) {
  auto* group = commands.add_group("table", "Read a topic into its table again");
  auto wish = std::make_shared<Wish>();
  auto* app = commands.add(group, "rebuild", "Empty a table; the next 'up' reads its topic again",
                           [wish](Session& session) { return rebuild(session, *wish); });
  app->add_option("TABLE", wish->table, "keyspace.table");
  app->add_flag("--all", wish->all, "All of them, where the store is damaged");
  app->add_flag("--yes", wish->yes, "Do not ask");
}

}  // namespace millrace::cli
