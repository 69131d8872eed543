"""Where the server keeps exams, rosters and accounts: tables in a database, files in a blob store."""
