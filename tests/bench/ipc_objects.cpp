// ipc_objects KIND COUNT - makes COUNT System V objects of KIND (sem, shm, msg), or as many as the
// kernel allows, and prints their number. Removes all of them when standard input ends or a signal
// comes.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>
#include <vector>

namespace {

int make(const std::string& kind) {
    if (kind == "sem") return ::semget(IPC_PRIVATE, 1, 0600);
    if (kind == "shm") return ::shmget(IPC_PRIVATE, 4096, 0600);
    return ::msgget(IPC_PRIVATE, 0600);
}

void remove(const std::string& kind, int id) {
    if (kind == "sem")
        (void)::semctl(id, 0, IPC_RMID);
    else if (kind == "shm")
        (void)::shmctl(id, IPC_RMID, nullptr);
    else
        (void)::msgctl(id, IPC_RMID, nullptr);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        (void)std::fprintf(stderr, "usage: ipc_objects sem|shm|msg COUNT\n");
        return 2;
    }
    const std::string kind = argv[1];
    // A signal does nothing except end the read below.
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE})
        (void)::sigaction(signal, &nothing, nullptr);
    std::vector<int> ids;
    for (int left = std::atoi(argv[2]); left > 0; --left) {
        const int id = make(kind);
        if (id < 0) break;
        ids.push_back(id);
    }
    (void)std::printf("%zu\n", ids.size());
    (void)std::fflush(stdout);
    char byte = 0;
    (void)!::read(STDIN_FILENO, &byte, 1);
    for (const int id : ids)
        remove(kind, id);
    return 0;
}
