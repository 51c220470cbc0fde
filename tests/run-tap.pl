#!/usr/bin/env perl
# SPDX-License-Identifier: GPL-2.0-only
#
# Counts what prove left behind in the virtual machine, see guest.sh.
#
#   tests/run-tap.pl DIRECTORY FILE.t ...
#
# Prints "passed failed skipped" for these tests.  Whatever is not as it should be
# is a failure: a test that did not run or did not end, a plan that was not kept,
# an exit status that says so.  Reasons go to stderr.

use strict;
use warnings;
use TAP::Parser;

my ($dir, @files) = @ARGV;
my ($passed, $failed, $skipped) = (0, 0, 0);

sub slurp {
	my $file = shift;
	open(my $handle, '<', $file) or return;
	local $/;
	return scalar <$handle>;
}

for my $file (@files) {
	my $tap = slurp("$dir/tap/$file");
	my $bad = 0;

	# An empty one is of a machine that died as the test began.
	if (!defined $tap || $tap eq '') {
		print STDERR "  $file: did not run\n";
		$failed++;
		next;
	}

	my $parser = TAP::Parser->new({ tap => $tap });
	while (my $result = $parser->next) {
		$bad++ if $result->is_bailout;
		next unless $result->is_test;
		if ($result->has_skip || $result->has_todo) {
			$skipped++;
		} elsif ($result->is_actual_ok) {
			$passed++;
		} else {
			$bad++;
		}
	}
	$skipped++ if defined $parser->skip_all;
	my $missing = ($parser->tests_planned // 0) - ($parser->tests_run // 0);
	if ($missing > 0) {
		print STDERR "  $file: $missing assertions of its plan are missing\n";
		$bad += $missing;
	} elsif (my @errors = $parser->parse_errors) {
		# Without a plan it did not come to its end.
		print STDERR "  $file: $_\n" for @errors;
		$bad++ unless $bad;
	}
	$failed += $bad;
}

my $status = slurp("$dir/prove.exit");
if (!$failed && (!defined $status || $status != 0)) {
	print STDERR "  prove ended with status ", $status // "unknown\n";
	$failed++;
}
print "$passed $failed $skipped\n";
