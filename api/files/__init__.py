"""Files to download, made on request: failed rows and samples, as CSV and as workbooks."""
