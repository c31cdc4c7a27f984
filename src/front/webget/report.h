// The reports of webget on its documents: errors, a line or an object for each, a table at the end.
#pragma once

#include "front/webget/options.h"

#include <functional>
#include <string>
#include <vector>

namespace ipcbox::front {

class FetchReport {
  public:
    // BEFORE_LINE is called before each line on stderr.
    FetchReport(const FetchConfig& config, std::function<void()> before_line);

    // Reports on one document; returns the text for standard output.
    [[nodiscard]] std::string tell(const download::Target& target,
                                   const download::Outcome& outcome);
    // Reports on all documents; returns the worst status.
    [[nodiscard]] int finish();

  private:
    void diagnose(const std::string& line);

    const FetchConfig& config_;
    std::function<void()> before_line_;
    std::vector<std::string> table_; // with --verbose
    std::size_t done_ = 0;
    std::size_t failed_ = 0;
    int worst_ = 0;
};

} // namespace ipcbox::front
