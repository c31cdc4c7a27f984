#!/usr/bin/perl
# take.pl KEY [stay] - take the token by the protocol of the perlipc manual page, say so, and with
# "stay" live on until the end of the input
use strict;
use warnings;

my ($key, $stay) = @ARGV;
my $set = semget($key =~ /^0/ ? oct $key : $key, 0, 0);
die "no semaphore set: $!\n" unless defined $set;

# struct sembuf is three shorts: which semaphore, how much, flags. Wait for zero, then add one.
semop($set, pack('s!6', 0, 0, 0, 0, 1, 0)) or die "cannot take: $!\n";
$| = 1;
print "taken\n";
if ($stay) { 1 while <STDIN> }
