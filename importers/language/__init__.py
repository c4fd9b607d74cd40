"""Languages: catalogues of texts, and messages, labels and figures said in another language."""
