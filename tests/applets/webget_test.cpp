#include "harness/scenario.h"
#include <doctest/doctest.h>
