// How one of several commands ended, as JSON: the report of pipe-run and open2-run.
#pragma once

#include "cli/json.h"
#include "dialog/pipeline.h"

#include <string>
#include <vector>

namespace ipcbox::front {

// Adds the command and its end to LINE: command, status, end, failed, seconds and cpu.
void add_stage_end(cli::JsonLine& line, const std::vector<std::string>& words,
                   const dialog::StageEnd& end, bool failed);

} // namespace ipcbox::front
