// A static PIE that does nothing: what the kernel and the C library take of any start.
int main() {}
