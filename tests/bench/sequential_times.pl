#!/usr/bin/perl
# sequential_times.pl tcp|udp PORT FILE - the clocks of the hosts in FILE, as a script of an afternoon
# asks them: over TCP one host after the other, over UDP all questions first and then the answers one
# by one, until a second is silent. Prints a row for each host that answers.
use strict;
use warnings;
use Socket;

use constant SECONDS_TO_1970 => 2_208_988_800;
$SIG{PIPE} = 'IGNORE';

my ($protocol, $port, $file) = @ARGV;
die "usage: sequential_times.pl tcp|udp PORT FILE\n" unless defined $file;
open my $list, '<', $file or die "cannot open $file: $!\n";
chomp(my @hosts = <$list>);

# The columns of timecheck's table, or udptime's.
sub row {
    my ($format, $host, $answer) = @_;
    return unless length $answer == 4;
    my $time = unpack('N', $answer) - SECONDS_TO_1970;
    printf $format, $host, $time - time, scalar localtime $time;
}

sub ask_over_tcp {
    printf "%-24s %8d %s\n", 'localhost', 0, scalar localtime;
    for my $host (@hosts) {
        socket my $socket, PF_INET, SOCK_STREAM, 0 or die "cannot make a socket: $!\n";
        next unless connect $socket, sockaddr_in($port, inet_aton($host));
        my $answer = '';
        while (sysread $socket, $answer, 64, length $answer) { }
        row("%-24s %8d %s\n", $host, $answer);
    }
}

sub ask_over_udp {
    socket my $socket, PF_INET, SOCK_DGRAM, 0 or die "cannot make a socket: $!\n";
    send $socket, '', 0, sockaddr_in($port, inet_aton($_)) for @hosts;
    my $wanted = '';
    vec($wanted, fileno $socket, 1) = 1;
    for (my $left = @hosts; $left > 0; --$left) {
        last unless select my $ready = $wanted, undef, undef, 1;
        my $from = recv $socket, my $answer, 64, 0;
        last unless defined $from;
        row("%-12s %8d %s\n", inet_ntoa((sockaddr_in($from))[1]), $answer);
    }
}

$protocol eq 'udp' ? ask_over_udp() : ask_over_tcp();
