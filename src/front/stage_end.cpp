#include "front/stage_end.h"

namespace ipcbox::front {

void add_stage_end(cli::JsonLine& line, const std::vector<std::string>& words,
                   const dialog::StageEnd& end, bool failed) {
    line.set("command", words);
    line.set("status", end.status.as_exit_status()).set("end", end.status.text());
    line.set_flag("failed", failed);
    line.set("seconds", in_seconds(end.time)).set("cpu", in_seconds(end.cpu));
}

} // namespace ipcbox::front
