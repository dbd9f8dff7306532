"""Run folders: journals, records and stores."""
