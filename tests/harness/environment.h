// The environment in which a command under test is started.
#pragma once

#include <cstdlib>
#include <string>

namespace ipcbox::test {

// A variable that is in the environment while this object exists.
class Variable {
  public:
    Variable(const char* name, const std::string& value) : name_(name) {
        ::setenv(name, value.c_str(), 1);
    }
    ~Variable() { ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    const char* name_;
};

} // namespace ipcbox::test
