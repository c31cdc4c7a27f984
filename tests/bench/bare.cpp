// A static PIE that does nothing. It shows what the kernel and the C library cost at every start.
int main() {}
