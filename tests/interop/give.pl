#!/usr/bin/perl
# give.pl KEY - give the token by the protocol of the perlipc manual page
use strict;
use warnings;

my ($key) = @ARGV;
my $set = semget($key =~ /^0/ ? oct $key : $key, 0, 0);
die "no semaphore set: $!\n" unless defined $set;
semop($set, pack('s!3', 0, -1, 0)) or die "cannot give: $!\n";
