#!/usr/bin/env perl
# SPDX-License-Identifier: GPL-2.0-only
#
# Counts what tests/guest.sh left behind.
#
#   tests/run-tap.pl DIRECTORY NAME ...
#
# Prints "passed failed skipped" for the tests of these names.  Whatever is not as
# it should be is a failure: a test that did not run or did not end, a plan that
# was not kept, an exit status that says so.  Reasons go to stderr.

use strict;
use warnings;
use TAP::Parser;

my ($dir, @names) = @ARGV;
my ($passed, $failed, $skipped) = (0, 0, 0);

sub slurp {
	my $file = shift;
	open(my $handle, '<', $file) or return;
	local $/;
	return scalar <$handle>;
}

for my $name (@names) {
	my $tap = slurp("$dir/$name.tap");
	my $exit = slurp("$dir/$name.exit");
	my $bad = 0;

	if (!defined $tap) {
		print STDERR "  $name: did not run\n";
		$failed++;
		next;
	}

	my $parser = TAP::Parser->new({ tap => $tap });
	while (my $result = $parser->next) {
		if ($result->is_bailout) {
			print STDERR "  $name: ", $result->as_string, "\n";
			$bad++;
		}
		next unless $result->is_test;
		if ($result->has_skip || $result->has_todo) {
			$skipped++;
		} elsif ($result->is_actual_ok) {
			$passed++;
		} else {
			print STDERR "  $name: ", $result->as_string, "\n";
			$bad++;
		}
	}
	$skipped++ if defined $parser->skip_all;
	if (!defined $exit) {
		print STDERR "  $name: did not come to its end\n";
		$bad++;
	}
	my $missing = ($parser->tests_planned // 0) - ($parser->tests_run // 0);
	if ($missing > 0) {
		print STDERR "  $name: $missing assertions of its plan are missing\n";
		$bad += $missing;
	} elsif (my @errors = $parser->parse_errors) {
		print STDERR "  $name: $_\n" for @errors;
		$bad++ unless $bad;
	}
	if (!$bad && $exit != 0) {
		print STDERR "  $name: exit status ", $exit + 0, "\n";
		$bad++;
	}
	$failed += $bad;
}
print "$passed $failed $skipped\n";
