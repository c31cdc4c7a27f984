// The smallest program that can answer a client: what a server benchmark runs, so that the server
// is measured and not the start of a program.
#include <unistd.h>

int main() {
    return ::write(STDOUT_FILENO, "hello\n", 6) == 6 ? 0 : 1;
}
