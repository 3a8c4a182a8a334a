-- The way back from 0005: the record of imports is not a book; nothing of the books is lost.
drop table closebell.import_results, closebell.import_jobs;
