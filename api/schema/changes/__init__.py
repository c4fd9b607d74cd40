"""What imports change, and what follows from it: fields of imports with cases and users in them."""
