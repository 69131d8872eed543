"""The exam domain: exams, rosters, whose sheet it is, marking, totals and result files."""
